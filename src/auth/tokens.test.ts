import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededChance, seededIds } from "../base/chance.ts";
import { VirtualClock } from "../base/clock.ts";
import { PODS, SERVICE_ACCOUNTS } from "../api/resource.ts";
import { FakeApi } from "../server/fake-api.ts";
import { adminToken, ISSUER, openSigningKey, openTokenIssuer, openTokenVerifier } from "./tokens.ts";

let directory: string;
let key: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tokens-"));
  key = await openSigningKey(directory);
});
afterAll(() => rm(directory, { recursive: true }));

function setUp() {
  const clock = new VirtualClock(1_800_000_000_000);
  const api = new FakeApi();
  api.add(SERVICE_ACCOUNTS, { metadata: { name: "robot", namespace: "n" } });
  api.add(PODS, { metadata: { name: "p", namespace: "n" } });
  const issuer = openTokenIssuer({ key, clock, ids: seededIds(seededChance(1)) });
  const subject = { namespace: "n", name: "robot", uid: "uid-robot", bound: { kind: "Pod", name: "p", uid: "uid-p" } };
  const issue = (audiences: readonly string[] = [ISSUER], bound: typeof subject.bound | undefined = subject.bound) => issuer.issue({ ...subject, bound }, { audiences, expiresAtMs: clock.now() + 600_000 });
  return { clock, api, issue, verify: openTokenVerifier({ key, clock, api }) };
}

test("a token says who it is, what it is bound to, and until when", async () => {
  const { issue, verify } = setUp();
  const token = await issue();
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
  expect(Object.keys(claims).sort()).toEqual(["aud", "exp", "iat", "iss", "jti", "kubernetes.io", "nbf", "sub"]);
  expect(claims["kubernetes.io"]).toEqual({ namespace: "n", pod: { name: "p", uid: "uid-p" }, serviceaccount: { name: "robot", uid: "uid-robot" } });
  expect(await verify(token)).toMatchObject({ user: { name: "system:serviceaccount:n:robot", uid: "uid-robot", groups: ["system:serviceaccounts", "system:serviceaccounts:n"] } });
});

test.each([
  { name: "after its time", spoil: ({ clock }: ReturnType<typeof setUp>) => clock.advance(600_001), why: "service account token has expired" },
  { name: "without its pod", spoil: ({ api }: ReturnType<typeof setUp>) => api.objects.get("/pods")?.clear(), why: "service account token has been invalidated" },
  { name: "without its account", spoil: ({ api }: ReturnType<typeof setUp>) => api.objects.get("/serviceaccounts")?.clear(), why: 'serviceaccounts "robot" not found' },
])("a token is not good $name, and it is said why", async ({ spoil, why }) => {
  const world = setUp();
  const token = await world.issue();
  spoil(world);
  const heard: string[] = [];
  expect(await world.verify(token, undefined, (text) => void heard.push(text))).toBeUndefined();
  expect(heard).toEqual([why]);
});

test("a token for somebody else is not for this server, but for them", async () => {
  const { issue, verify } = setUp();
  const token = await issue(["example.com"]);
  expect(await verify(token)).toBeUndefined();
  expect(await verify(token, ["example.com", "other"])).toMatchObject({ audiences: ["example.com"] });
});

test("a token that was changed is nobody's", async () => {
  const { issue, verify } = setUp();
  const [header, payload, signature] = (await issue()).split(".");
  const forged = Buffer.from(Buffer.from(payload ?? "", "base64url").toString().replaceAll("robot", "admin")).toString("base64url");
  expect(await verify(`${header}.${forged}.${signature}`)).toBeUndefined();
  expect(await verify("nonsense")).toBeUndefined();
});

test("the administrator's token", async () => {
  const { clock, verify } = setUp();
  const token = adminToken({ key, clock, ids: seededIds(seededChance(2)) });
  expect(await verify(token)).toMatchObject({ user: { name: "kubernetes-admin", groups: ["system:masters"] } });
});
