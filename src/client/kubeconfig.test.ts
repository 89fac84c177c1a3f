import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadKubeconfig } from "./kubeconfig.ts";

const home = mkdtempSync(join(tmpdir(), "stint-kubeconfig-"));
afterAll(() => rmSync(home, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(home, name), text);
  return join(home, name);
};
const base64 = (text: string) => Buffer.from(text).toString("base64");

const main = file("config", `
current-context: here
contexts:
- {name: here, context: {cluster: c, user: u, namespace: jobs}}
- {name: there, context: {cluster: d, user: v}}
- {name: plugin, context: {cluster: d, user: p}}
- {name: lost, context: {cluster: none, user: v}}
clusters:
- {name: c, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: ${base64("CA")}}}
users:
- {name: u, user: {client-certificate: cert.pem, client-key-data: ${base64("KEY")}}}
- {name: p, user: {exec: {command: aws}}}
`);
file("cert.pem", "CERT");
const other = file("other", `
current-context: there
clusters:
- {name: d, cluster: {server: "https://example.com", insecure-skip-tls-verify: true, tls-server-name: api}}
- {name: c, cluster: {server: "https://not-this-one"}}
users:
- {name: v, user: {token: T}}
`);

test("the current context of the first file, with files beside it and data in it", () => {
  expect(loadKubeconfig([main, other])).toEqual({ server: "https://127.0.0.1:6443", certificateAuthority: "CA", clientCertificate: "CERT", clientKey: "KEY", namespace: "jobs" });
});

test("another context, whose parts stand in another file", () => {
  expect(loadKubeconfig([main, other], "there")).toEqual({ server: "https://example.com", insecureSkipTlsVerify: true, tlsServerName: "api", token: "T", namespace: "default" });
});

test.each([
  { name: "a context that is not there", files: [main], context: "nowhere", message: 'context "nowhere" is not in' },
  { name: "a cluster that is not there", files: [main], context: "lost", message: 'cluster "none" of context "lost" is not in' },
  { name: "a credential plugin", files: [main, other], context: "plugin", message: 'wants the credential plugin "exec", which is not supported' },
  { name: "a file that is not there", files: [join(home, "none")], context: "x", message: `cannot read kubeconfig ${join(home, "none")}` },
])("says what is wrong: $name", ({ files, context, message }) => {
  expect(() => loadKubeconfig(files, context)).toThrow(message);
});
