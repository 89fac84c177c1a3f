#!/usr/bin/env node
/**
 * A real control plane to hold stint against: etcd, kube-apiserver and, if asked for, kube-controller-manager, built from their Go modules
 * (`reference/`; the first build takes some minutes and Go) and started on loopback with an empty store.
 *
 *   reference.ts [--port 7443] [--controllers]      prints KUBECONFIG=FILE when it answers, and runs until it is interrupted
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemIds } from "../../src/base/chance.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type Certificates, openCertificates } from "../../src/server/certificates.ts";
import { kubeconfigText } from "../../src/server/kubeconfig.ts";
import { openEndpoint } from "./endpoint.ts";

const PROGRAMS = ["apiserver", "controllers", "etcd"] as const;
const VERSION = /k8s\.io\/kubernetes v(\d+)\.(\d+)\.(\d+)/;
const READY_MS_MAX = 60_000;
/** Token → user name; the controllers' rights come with their name. */
const USERS = { admin: ["admin", "system:masters"], controllers: ["system:kube-controller-manager", ""] } as const;

const source = fileURLToPath(new URL("reference/", import.meta.url));
const binaries = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "stint-reference");

/** Builds what is not there yet. Throws if Go is missing or a module can't be had. */
function build(): void {
  mkdirSync(binaries, { recursive: true });
  const version = VERSION.exec(execFileSync("go", ["list", "-m", "k8s.io/kubernetes"], { cwd: source, encoding: "utf8" }));
  const flags = `-s -w -X k8s.io/component-base/version.gitVersion=v${version?.slice(1).join(".")} -X k8s.io/component-base/version.gitMajor=${version?.[1]} -X k8s.io/component-base/version.gitMinor=${version?.[2]}`;
  for (const program of PROGRAMS) {
    if (existsSync(join(binaries, program))) continue;
    process.stderr.write(`reference: building ${program} …\n`);
    execFileSync("go", ["build", "-ldflags", flags, "-o", join(binaries, program), `./${program}`], { cwd: source, stdio: "inherit" });
  }
}

interface Files {
  readonly directory: string;
  readonly at: (name: string) => string;
}

function writeFiles({ at }: Files, certificates: Certificates, server: string): void {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } });
  const contents: Readonly<Record<string, string>> = {
    "ca.crt": certificates.authority.certificate, "ca.key": certificates.authority.key, "tls.crt": certificates.server.certificate, "tls.key": certificates.server.key,
    "sa.pub": publicKey, "sa.key": privateKey,
    "tokens.csv": Object.entries(USERS).map(([token, [user, group]]) => `${token},${user},${user},"${group}"\n`).join(""),
  };
  for (const [name, text] of Object.entries(contents)) writeFileSync(at(name), text, { mode: 0o600 });
  for (const token of Object.keys(USERS)) writeFileSync(at(`${token}.kubeconfig`), kubeconfigText({ server, name: "reference", user: token, certificateAuthority: certificates.authority.certificate, token }), { mode: 0o600 });
}

function start({ at, directory }: Files, program: (typeof PROGRAMS)[number], flags: Readonly<Record<string, string>>): ChildProcess {
  const log = openSync(at(`${program}.log`), "a");
  return spawn(join(binaries, program), Object.entries(flags).map(([name, value]) => `--${name}=${value}`), { cwd: directory, stdio: ["ignore", log, log] });
}

function startAll(files: Files, port: number, withControllers: boolean): readonly ChildProcess[] {
  const { at } = files;
  const [client, peer] = [`http://127.0.0.1:${port + 1}`, `http://127.0.0.1:${port + 2}`];
  const etcd = start(files, "etcd", { "data-dir": at("etcd"), "listen-client-urls": client, "advertise-client-urls": client, "listen-peer-urls": peer, "initial-advertise-peer-urls": peer, "initial-cluster": `default=${peer}`, "log-level": "error" });
  const apiserver = start(files, "apiserver", {
    "etcd-servers": client, "secure-port": String(port), "bind-address": "127.0.0.1", "tls-cert-file": at("tls.crt"), "tls-private-key-file": at("tls.key"), "client-ca-file": at("ca.crt"),
    "token-auth-file": at("tokens.csv"), "authorization-mode": "Node,RBAC", "service-account-key-file": at("sa.pub"), "service-account-signing-key-file": at("sa.key"),
    "service-account-issuer": "https://kubernetes.default.svc", "service-cluster-ip-range": "10.0.0.0/24", "allow-privileged": "true",
  });
  const config = at("controllers.kubeconfig");
  const controllers = { kubeconfig: config, "authentication-kubeconfig": config, "authorization-kubeconfig": config, "service-account-private-key-file": at("sa.key"), "root-ca-file": at("ca.crt"), "use-service-account-credentials": "true", "leader-elect": "false", "bind-address": "127.0.0.1", "secure-port": String(port + 3) };
  return [etcd, apiserver, ...(withControllers ? [start(files, "controllers", controllers)] : [])];
}

async function ready(kubeconfig: string): Promise<void> {
  const endpoint = openEndpoint(kubeconfig);
  for (const end = Date.now() + READY_MS_MAX; ; await sleep(200)) {
    const answer = await endpoint.send({ method: "GET", path: "/readyz" }).catch(() => undefined);
    if (answer?.status === 200) break;
    if (Date.now() > end) throw new Error("the API server did not get ready");
  }
  endpoint.close();
}

async function failed(child: ChildProcess): Promise<never> {
  await once(child, "exit");
  throw new Error(`${child.spawnfile} ended`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { port: { type: "string", default: "7443" }, controllers: { type: "boolean", default: false } } });
  build();
  const directory = mkdtempSync(join(tmpdir(), "stint-reference-"));
  const files: Files = { directory, at: (name) => join(directory, name) };
  const port = Number(values.port);
  writeFiles(files, await openCertificates({ directory: join(directory, "pki"), clock: systemClock, ids: systemIds, addresses: ["10.0.0.1"] }), `https://127.0.0.1:${port}`);
  const children = startAll(files, port, values.controllers);
  try {
    await ready(files.at("admin.kubeconfig"));
    console.log(`KUBECONFIG=${files.at("admin.kubeconfig")}`);
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), ...children.map(failed)]);
  } finally {
    await Promise.all(children.filter((child) => child.exitCode === null && child.signalCode === null).map((child) => (child.kill(), once(child, "exit"))));
    rmSync(directory, { recursive: true, force: true });
  }
}

await main().catch((error: unknown) => {
  console.error(`reference: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
});
