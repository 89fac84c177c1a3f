/**
 * What a request costs: get, list of 10,000 pods, create, update, status patch, over HTTP/2 by one client process; the same through the registry in
 * process, and the store alone, beside them. Then one writer and 1, 10 and 100 watchers. Usage: node bench/api.ts [PODS]
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type ClientHttp2Session } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { systemChance, systemIds } from "../src/base/chance.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLogger } from "../src/base/logger.ts";
import type { KubeObject } from "../src/api/object.ts";
import { NAMESPACES, PODS, SERVICE_ACCOUNTS } from "../src/api/resource.ts";
import { openControlPlane } from "../src/app/control-plane.ts";
import { openDurableStore } from "../src/store/durable-store.ts";
import type { Store } from "../src/store/store.ts";
import { Sandbox, Server } from "../test/support/stint.ts";
import { cpuSeconds, machine, quantile, residentMB } from "./machine.ts";

const pods = Number(process.argv[2] ?? 10_000);
const SECONDS = 3;
const AT_ONCE = 16;
const NAMESPACE = "default";
const URL_PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

interface Answered {
  readonly status: number;
  readonly text: string;
}

/** One HTTP/2 connection. */
class Http {
  readonly #session: ClientHttp2Session;
  readonly #headers: Record<string, string>;

  constructor(kubeconfig: string) {
    const config = parse(readFileSync(kubeconfig, "utf8")) as { clusters: { cluster: { server: string; "certificate-authority-data": string } }[]; users: { user: { token: string } }[] };
    const cluster = config.clusters[0]?.cluster;
    this.#session = connect(cluster?.server ?? "", { ca: Buffer.from(cluster?.["certificate-authority-data"] ?? "", "base64"), settings: { initialWindowSize: 1 << 24 } });
    // As Go's client: what one watch does not read must not stop the others.
    this.#session.once("connect", () => this.#session.setLocalWindowSize(1 << 30));
    this.#headers = { authorization: `Bearer ${config.users[0]?.user.token}`, accept: "application/json" };
  }

  async send(method: string, path: string, body?: string, contentType = "application/json"): Promise<Answered> {
    const stream = this.#session.request({ ":method": method, ":path": path, ...this.#headers, ...(body !== undefined && { "content-type": contentType }) }, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    let status = 0;
    stream.on("response", (headers) => (status = headers[":status"] ?? 0));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
    return { status, text };
  }

  /** Calls back for each chunk of a watch. */
  watch(path: string, onBytes: (chunk: Buffer) => void): void {
    this.#session.request({ ":path": path, ...this.#headers }).on("data", onBytes).on("error", () => {});
  }

  close(): void {
    this.#session.destroy();
  }
}

/** CPU of whoever does the work: the server, or this process. A machine that others use, too, says more by it than by the clock. */
let cpu = (): number => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;

/** Calls `call` for a few seconds, `atOnce` at a time. */
async function measure(name: string, call: (n: number) => Promise<unknown>, atOnce: number): Promise<void> {
  for (let i = 0; i < 20; i++) await call(-1 - i);
  const latencies: number[] = [];
  const cpuBefore = cpu();
  const begin = performance.now();
  let next = 0;
  const one = async () => {
    while (performance.now() - begin < SECONDS * 1000) {
      const started = performance.now();
      await call(next++);
      latencies.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  const rate = latencies.length / ((performance.now() - begin) / 1000);
  console.log(`${name.padEnd(34)} ${rate.toFixed(0).padStart(6)}/s at ${atOnce}  p50 ${quantile(latencies, 0.5).toFixed(2)} ms  p99 ${quantile(latencies, 0.99).toFixed(2)} ms  CPU ${(((cpu() - cpuBefore) / latencies.length) * 1000).toFixed(3)} ms`);
}

const podNamed = (name: string, app = "bench"): KubeObject => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: NAMESPACE, labels: { app } }, spec: { nodeName: "n", restartPolicy: "Never", containers: [{ name: "main", image: "alpine", command: ["true"] }] } }) as KubeObject;
const statusPatch = (n: number) => JSON.stringify({ status: { phase: "Running", message: `round ${n}`, conditions: [{ type: "Ready", status: "True", reason: `R${n}` }] } });
let run = 0;

async function overHttp(http: Http): Promise<void> {
  for (const atOnce of [1, AT_ONCE]) {
    const prefix = `c${run++}`;
    await measure("HTTP/2 get", (n) => http.send("GET", `${URL_PODS}/p${Math.abs(n) % pods}`), atOnce);
    await measure("HTTP/2 create", (n) => http.send("POST", URL_PODS, JSON.stringify(podNamed(`${prefix}-${n}`, "made"))), atOnce);
    await measure("HTTP/2 update", async (n) => {
      const { text } = await http.send("GET", `${URL_PODS}/p${Math.abs(n) % pods}`);
      const pod = JSON.parse(text) as { metadata: { labels: Record<string, string> } };
      pod.metadata.labels["round"] = String(n + 100);
      return http.send("PUT", `${URL_PODS}/p${Math.abs(n) % pods}`, JSON.stringify(pod));
    }, 1);
    await measure("HTTP/2 status patch", (n) => http.send("PATCH", `${URL_PODS}/p${Math.abs(n) % pods}/status`, statusPatch(n), "application/strategic-merge-patch+json"), atOnce);
  }
  await http.send("DELETE", `${URL_PODS}?labelSelector=app%3Dmade`, '{"gracePeriodSeconds":0}');
  await measure(`HTTP/2 list of ${pods} pods`, () => http.send("GET", URL_PODS), 1);
  await measure("HTTP/2 list, limit 500", () => http.send("GET", `${URL_PODS}?limit=500`), 1);
}

async function inProcess(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "stint-bench-"));
  const store = openDurableStore(join(directory, "store"));
  const plane = openControlPlane({ store, clock: systemClock, ids: systemIds, chance: systemChance, logger: silentLogger, controllers: () => [] });
  const client = plane.clientFor("bench");
  await client.create(NAMESPACES, "", { metadata: { name: NAMESPACE }, spec: {} });
  await client.create(SERVICE_ACCOUNTS, NAMESPACE, { metadata: { name: "default" } });
  for (let i = 0; i < pods; i += 250) await Promise.all(Array.from({ length: 250 }, (_, n) => client.create(PODS, NAMESPACE, podNamed(`p${i + n}`) as never)));
  const ref = (n: number) => ({ namespace: NAMESPACE, name: `p${Math.abs(n) % pods}` });
  await measure("registry get", (n) => client.get(PODS, ref(n)), 1);
  await measure("registry list", () => client.list(PODS, NAMESPACE), 1);
  for (const atOnce of [1, AT_ONCE]) {
    const prefix = `c${run++}`;
    await measure("registry create", (n) => client.create(PODS, NAMESPACE, podNamed(`${prefix}-${n}`, "made") as never), atOnce);
    await measure("registry status patch", (n) => client.patch(PODS, ref(n), "strategic", statusPatch(n), { subresource: "status" }), atOnce);
    await storeAlone(store, atOnce);
  }
  await store.close();
  rmSync(directory, { recursive: true });
}

async function storeAlone(store: Store, atOnce: number): Promise<void> {
  const object = Object.freeze(podNamed("x"));
  const text = JSON.stringify({ ...object, padding: "x".repeat(1500) });
  await measure("store put", (n) => store.write({ key: `/bench/${Math.abs(n) % 1000}`, kind: "put", value: () => ({ object, text }) }), atOnce);
}

/** One writer of status patches and `watchers` who hear of each. */
async function fanOut(http: Http, kubeconfig: string, pid: number, watchers: number): Promise<void> {
  const child = spawn(process.execPath, [import.meta.filename, "--watch", kubeconfig, String(watchers)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = (async function* () {
    let rest = "";
    for await (const chunk of child.stdout) {
      rest += String(chunk);
      for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
        yield rest.slice(0, end);
        rest = rest.slice(end + 1);
      }
    }
  })();
  await lines.next();
  const cpuBefore = cpu();
  const begin = performance.now();
  let writes = 0;
  const one = async () => {
    while (performance.now() - begin < SECONDS * 1000) await http.send("PATCH", `${URL_PODS}/p${writes % pods}/status`, statusPatch(1_000_000 * watchers + writes++), "application/strategic-merge-patch+json");
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  child.stdin.end(`${writes}\n`);
  const { value } = await lines.next();
  const seconds = (performance.now() - begin) / 1000;
  console.log(`fan-out to ${String(watchers).padStart(3)} watchers              ${(writes / seconds).toFixed(0).padStart(6)} writes/s, ${((writes * watchers) / seconds).toFixed(0)} events/s, server CPU ${(((cpu() - cpuBefore) / writes) * 1000).toFixed(2)} ms a write, resident ${residentMB(pid).toFixed(0)} MB${value === "all" ? "" : ` (${String(value)})`}`);
  child.kill();
}

/** The other process: watches, and says when every watcher has heard all. */
async function watchAll(kubeconfig: string, watchers: number): Promise<void> {
  const http = new Http(kubeconfig);
  const from = (JSON.parse((await http.send("GET", `${URL_PODS}?limit=1`)).text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
  const heard = Array.from({ length: watchers }, () => 0);
  for (let w = 0; w < watchers; w++) {
    http.watch(`${URL_PODS}?watch=1&resourceVersion=${from}`, (chunk) => {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) heard[w] = (heard[w] ?? 0) + 1;
    });
  }
  await http.send("GET", `${URL_PODS}?limit=1`);
  console.log("watching");
  let asked = "";
  for await (const chunk of process.stdin) asked += String(chunk);
  const until = performance.now() + 30_000;
  while (performance.now() < until && Math.min(...heard) < Number(asked)) await new Promise((resolve) => setTimeout(resolve, 5));
  console.log(Math.min(...heard) >= Number(asked) ? "all" : `the slowest heard ${Math.min(...heard)} of ${asked.trim()}`);
  http.close();
}

if (process.argv[2] === "--watch") await watchAll(process.argv[3] ?? "", Number(process.argv[4]));
else {
  console.log(machine());
  await inProcess();
  const sandbox = await Sandbox.make();
  const server = await Server.start(sandbox, ["--disable", "agent,scheduler"]);
  await server.ok(["create", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "Node", metadata: { name: "n" } }) });
  cpu = () => cpuSeconds(server.pid);
  const http = new Http(server.kubeconfig);
  for (let i = 0; i < pods; i += 100) await Promise.all(Array.from({ length: 100 }, (_, n) => http.send("POST", URL_PODS, JSON.stringify(podNamed(`p${i + n}`)))));
  await overHttp(http);
  for (const watchers of [1, 10, 100]) await fanOut(http, server.kubeconfig, server.pid, watchers);
  http.close();
  await server.stop();
  await sandbox.remove();
}
