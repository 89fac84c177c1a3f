import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { Probe } from "../../api/generated/types.ts";
import { systemClock, VirtualClock } from "../../base/clock.ts";
import { FakeRuntime } from "../testing/fake-runtime.ts";
import { PROBE_START, ProbeError, ProbeWorker, step } from "./probe-worker.ts";
import { runProbe } from "./run-probe.ts";

const over = (probe: Pick<Probe, "successThreshold" | "failureThreshold">, outcomes: string) =>
  outcomes.split("").reduce((state, c) => step(state, c === "+", probe), PROBE_START).result;

test.each([
  { name: "one success", outcomes: "+", want: "success" },
  { name: "two failures of three", outcomes: "--", want: "unknown" },
  { name: "three in a row", outcomes: "---", want: "failure" },
  { name: "three, not in a row", outcomes: "--+--", want: "success" },
  { name: "a success after a failure", outcomes: "---+", want: "success" },
])("$name", ({ outcomes, want }) => expect(over({ failureThreshold: 3 }, outcomes)).toBe(want));

const server = createServer((request, response) => {
  if (request.url === "/moved") response.writeHead(302, { location: "/good" }).end();
  else response.writeHead(request.url === "/good" && request.headers["user-agent"] === "kube-probe/1.36" ? 200 : 404).end();
}).listen(0, "127.0.0.1");
afterEach(() => server.unref());

const port = () => (server.address() as AddressInfo).port;
const run = (probe: Probe, exec?: FakeRuntime["exec"]) => {
  const runtime = new FakeRuntime(systemClock);
  if (exec) runtime.exec = exec;
  const container = { name: "main", ports: [{ name: "web", containerPort: port() }] };
  return runProbe({ runtime, clock: systemClock, container, containerId: "c", podIp: "127.0.0.1", probe }, new AbortController().signal);
};

test.each([
  { name: "a page", probe: () => ({ httpGet: { port: port(), path: "/good" } }), want: { success: true, output: "" } },
  { name: "a page by the port's name, after a redirect", probe: () => ({ httpGet: { port: "web", path: "/moved" } }), want: { success: true, output: "" } },
  { name: "no page", probe: () => ({ httpGet: { port: port(), path: "/absent" } }), want: { success: false, output: "HTTP probe failed with statuscode: 404" } },
  { name: "a connection", probe: () => ({ tcpSocket: { port: port() } }), want: { success: true, output: "" } },
  { name: "no connection", probe: () => ({ tcpSocket: { port: 1 } }), want: { success: false, output: "dial tcp 127.0.0.1:1: connect: connection refused" } },
])("$name", async ({ probe, want }) => expect(await run(probe())).toEqual(want));

test("nobody listens", async () => {
  await expect(run({ httpGet: { port: 1, path: "/x" } })).rejects.toThrow('Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused');
});

test("a command's output is told as it came", async () => {
  const probe = { exec: { command: ["x"] } };
  const loud: FakeRuntime["exec"] = async (_id, spec) => { spec.stdout.write("to stdout\n"); spec.stderr.write("to stderr\n"); return 7; };
  expect(await run(probe, loud)).toEqual({ success: false, output: "to stdout\nto stderr\n" });
  expect(await run(probe)).toEqual({ success: true, output: "" });
});

test("a command that cannot be executed says nothing about its container, and is told of", async () => {
  const probe = { failureThreshold: 1, exec: { command: ["nosuch"] } };
  const cannot: FakeRuntime["exec"] = async () => { throw new Error("executable file not found"); };
  await expect(run(probe, cannot)).rejects.toThrow(ProbeError);
  const clock = new VirtualClock(0);
  const told: string[] = [];
  const context = { kind: "liveness" as const, probe, clock, startedAt: 0, isHeld: () => false, tell: (m: string) => void told.push(m), onResult: (r: string) => void told.push(r) };
  const worker = new ProbeWorker({ ...context, run: () => run(probe, cannot) });
  worker.open();
  clock.advance(1);
  await expect.poll(() => told).toEqual(["Liveness probe errored and resulted in unknown state: executable file not found"]);
  worker.close();
});

test("a command that takes too long has failed", async () => {
  const probe = { timeoutSeconds: 0.01, exec: { command: ["sleep", "20"] } };
  expect(await run(probe, () => new Promise(() => {}))).toEqual({ success: false, output: 'command timed out: "sleep 20" timed out after 0.01s' });
});
