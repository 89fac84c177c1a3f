import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemIds } from "../base/chance.ts";
import { VirtualClock } from "../base/clock.ts";
import { openCertificates } from "./certificates.ts";
import { kubeconfigText } from "./kubeconfig.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const DAY_MS = 86_400_000;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "certificates-"));
});
afterEach(() => rm(directory, { recursive: true }));

const open = (days = 0, addresses: readonly string[] = []) => openCertificates({ directory, clock: new VirtualClock(START + days * DAY_MS), ids: systemIds, addresses });

test("the server's certificate is good for loopback and the cluster's own names", async () => {
  const { authority, server, admin } = await open(0, ["10.96.0.1"]);
  const [ca, leaf, client] = [new X509Certificate(authority.certificate), new X509Certificate(server.certificate), new X509Certificate(admin.certificate)];
  expect([ca.ca, leaf.ca, client.ca]).toEqual([true, false, false]);
  expect([leaf, client].every((c) => c.checkIssued(ca) && c.verify(ca.publicKey))).toBe(true);
  expect(["127.0.0.1", "::1", "10.96.0.1"].map((ip) => leaf.checkIP(ip) !== undefined)).toEqual([true, true, true]);
  expect(["localhost", "kubernetes.default.svc"].map((host) => leaf.checkHost(host) !== undefined)).toEqual([true, true]);
  expect(client.subject).toBe("O=system:masters\nCN=kubernetes-admin");
});

test.each(["00", "0f", "7f", "80", "ff"])("an id that begins with %s is a serial number that can be read", async (first) => {
  const ids = { ...systemIds, uid: () => `${first}112233-4455-4677-8899-aabbccddeeff` };
  const { server } = await openCertificates({ directory, clock: new VirtualClock(START), ids, addresses: [] });
  expect(new X509Certificate(server.certificate).serialNumber).toMatch(/112233445546778899AABBCCDDEEFF$/);
  expect(() => createSecureContext({ cert: server.certificate, key: server.key })).not.toThrow();
});

test("they are kept, private, and renewed near their end or for another address", async () => {
  const first = await open();
  expect(await open(300)).toEqual(first);
  expect((await stat(join(directory, "ca.key"))).mode & 0o777).toBe(0o600);
  const moved = await open(300, ["10.0.0.9"]);
  expect(moved.authority).toEqual(first.authority);
  expect(moved.server).not.toEqual(first.server);
  const renewed = await open(340);
  expect(renewed.authority).toEqual(first.authority);
  expect(renewed.admin).not.toEqual(first.admin);
});

test("a kubeconfig names one cluster, one user and one context", () => {
  const text = kubeconfigText({ server: "https://127.0.0.1:6443", name: "stint", user: "admin", certificateAuthority: "CA", token: "t" });
  expect(text).toContain('current-context: "stint"');
  expect(text).toContain("    server: https://127.0.0.1:6443\n");
  expect(text).toContain('    token: "t"\n');
});
