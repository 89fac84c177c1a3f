import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { VirtualClock } from "../base/clock.ts";
import { SECRETS, SERVICE_ACCOUNTS } from "../api/resource.ts";
import { FakeApi } from "../server/fake-api.ts";
import { openSecretTokenIssuer, openSecretTokenVerifier } from "./secret-tokens.ts";
import { openSigningKey } from "./tokens.ts";

let directory: string;
let key: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "secret-tokens-"));
  key = await openSigningKey(directory);
});
afterAll(() => rm(directory, { recursive: true }));

function setUp({ uid = "uid-robot", labels = {}, held = true }: { readonly uid?: string; readonly labels?: Readonly<Record<string, string>>; readonly held?: boolean } = {}) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 2));
  const api = new FakeApi();
  const token = openSecretTokenIssuer(key)({ namespace: "n", account: { name: "robot", uid }, secret: "tok" });
  api.add(SERVICE_ACCOUNTS, { metadata: { name: "robot", namespace: "n" } });
  const secret = { metadata: { name: "tok", namespace: "n", labels }, data: { token: Buffer.from(held ? token : "another").toString("base64") } };
  api.add(SECRETS, secret);
  return { api, token, verify: openSecretTokenVerifier({ key, clock, api }) };
}

test("the token of a Secret is the account's, for this server, without an end", async () => {
  const { token, verify } = setUp();
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
  expect(claims).toEqual({
    iss: "kubernetes/serviceaccount", sub: "system:serviceaccount:n:robot", "kubernetes.io/serviceaccount/namespace": "n", "kubernetes.io/serviceaccount/secret.name": "tok",
    "kubernetes.io/serviceaccount/service-account.name": "robot", "kubernetes.io/serviceaccount/service-account.uid": "uid-robot",
  });
  expect(await verify(token)).toMatchObject({ user: { name: "system:serviceaccount:n:robot", uid: "uid-robot", groups: ["system:serviceaccounts", "system:serviceaccounts:n"] } });
  expect(await verify(token, ["example.com"])).toBeUndefined();
});

test.each([
  { name: "of an account that was made anew", world: { uid: "uid-before" } },
  { name: "that the Secret does not hold any more", world: { held: false } },
  { name: "that was taken out of use", world: { labels: { "kubernetes.io/legacy-token-invalid-since": "2026-01-01" } } },
])("a token $name is not good", async ({ world }) => {
  const { token, verify } = setUp(world);
  expect(await verify(token)).toBeUndefined();
});
