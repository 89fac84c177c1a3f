import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import type { ContainerSpec, ContainerStatus, Runtime, SandboxSpec } from "../runtime.ts";
import { openSandboxRuntime } from "./sandbox-runtime.ts";
import { containerSpec, DEFAULT_CAPABILITIES, logText, makeBusyboxLayer, sandboxSpec, untilExited } from "./testing.ts";

const isRoot = process.geteuid?.() === 0;
let directory: string;
let layer: string;
let runtime: Runtime;
let count = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "stint-sandbox-"));
  chmodSync(directory, 0o755);
  layer = makeBusyboxLayer(join(directory, "layer"));
  runtime = openSandboxRuntime({ stateDir: join(directory, "state"), clock: systemClock, logger: silentLogger });
  await runtime.open();
});

afterAll(async () => {
  for (const s of (await runtime.list()).sandboxes) await runtime.removeSandbox(s.id);
  await runtime.close();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

async function start(command: readonly string[], more: Partial<ContainerSpec> = {}, sandbox: Partial<SandboxSpec> = {}): Promise<ContainerStatus> {
  const uid = `pod-${count++}`;
  await runtime.runSandbox(sandboxSpec(uid, sandbox));
  return runtime.startContainer(containerSpec(uid, join(directory, "logs", uid, "0.log"), layer, command, more));
}

async function run(command: readonly string[], more: Partial<ContainerSpec> = {}, sandbox: Partial<SandboxSpec> = {}): Promise<ContainerStatus & { readonly text: string }> {
  const status = await untilExited(runtime, (await start(command, more, sandbox)).id);
  return { ...status, text: logText(status.logPath) };
}

const sh = (script: string) => ["sh", "-c", script];
const secure = (more: Partial<ContainerSpec["security"]>): Pick<ContainerSpec, "security"> => ({ security: { uid: 0, gid: 0, supplementalGroups: [], readOnlyRoot: false, noNewPrivileges: false, privileged: false, capabilities: DEFAULT_CAPABILITIES, ...more } });

describe.runIf(isRoot)("containers of root", () => {
  test.each([
    { name: "success", command: ["true"], exitCode: 0, reason: "Completed" },
    { name: "a code", command: sh("exit 42"), exitCode: 42, reason: "Error" },
    { name: "a command's own 127", command: sh("exit 127"), exitCode: 127, reason: "Error" },
    { name: "a signal", command: sh("sh -c 'kill -9 $$'; exit $?"), exitCode: 137, reason: "Error" },
    { name: "a command that is not in PATH", command: ["nosuch"], exitCode: 128, reason: "StartError" },
    { name: "a path that is not there", command: ["/no/such"], exitCode: 128, reason: "StartError" },
    { name: "a directory", command: ["/etc"], exitCode: 128, reason: "StartError" },
    { name: "a file that cannot be executed", command: ["/etc/passwd"], exitCode: 128, reason: "StartError" },
  ])("$name ends with $exitCode, $reason", async ({ command, exitCode, reason }) => {
    expect(await run(command)).toMatchObject({ state: "exited", exitCode, reason });
  });

  test("the message of a start error names the command", async () => {
    expect((await run(["nosuch"])).message).toContain('exec: "nosuch": executable file not found in $PATH');
  });

  test("each stream keeps its order, its bytes and its unfinished last line", async () => {
    const { logPath } = await run(sh("echo a; echo b >&2; echo c; echo d > /dev/stderr; printf 'e\\r\\n\\000\\377f'"));
    const hex = (text: string) => Buffer.from(text, "latin1").toString("hex");
    expect([hex(logText(logPath, "stdout")), hex(logText(logPath, "stderr"))]).toEqual([hex("a\nc\ne\r\n\0\xfff"), hex("b\nd\n")]);
  });

  test("a megabyte of output arrives whole from a container that ends at once", async () => {
    const { text } = await run(sh("seq 1 150000"));
    expect(text).toBe(Array.from({ length: 150_000 }, (_, i) => `${i + 1}\n`).join(""));
  });

  test("the environment is exactly what was given, odd names included", async () => {
    const env = [["PATH", "/bin"], ["A", "it's \"$x\"\nline"], ["HOME", "/root"]] as const;
    const { text } = await run(["env", "-0"], { env });
    expect(text.split("\0").sort()).toEqual(["", "A=it's \"$x\"\nline", "HOME=/root", "PATH=/bin"]);
    expect((await run(["/bin/env"], { env: [["1digit", "x y"], ["with.dot", "z"]] })).text).toMatch(/1digit=x y\n(.*\n)*with\.dot=z|with\.dot=z\n(.*\n)*1digit=x y/);
  });

  test("nothing of the machine is open, no signal is ignored, and it is process 1 of a session of its own", async () => {
    const { text } = await run(sh("for fd in /proc/1/fd/*; do echo ${fd##*/}; done; grep SigIgn /proc/self/status; cut -d' ' -f1,5,6 /proc/1/stat; hostname; echo $(umask)-"), {}, { hostname: "box" });
    expect(text.split("\n").filter((l) => !/^\d{2,}$/.test(l) && l !== "3")).toEqual(["0", "1", "2", "SigIgn:\t0000000000000000", "1 1 1", "box", "0022-", ""]);
  });

  test("the machine's file systems are out of reach", async () => {
    const { text } = await run(sh("cut -d' ' -f5 /proc/self/mountinfo | sort -u; ls -d /proc/../../dev/../*; echo x > /proc/sys/kernel/hostname"));
    expect(text).not.toContain("/work\n");
    expect(text).not.toContain("/boot");
    expect(text).toMatch(/Read-only file system|can't create/);
  });

  test.each([
    { name: "root by default", security: {}, want: { CapEff: "00000000a80425fb", CapBnd: "00000000a80425fb", NoNewPrivs: "0", uid: "uid=0(root) gid=0(root)" } },
    { name: "another user", security: { uid: 1000, gid: 1000, supplementalGroups: [2000, 3000] }, want: { CapEff: "0000000000000000", CapBnd: "00000000a80425fb", NoNewPrivs: "0", uid: "uid=1000 gid=1000 groups=2000,3000" } },
    { name: "root without capabilities", security: { capabilities: [], noNewPrivileges: true }, want: { CapEff: "0000000000000000", CapBnd: "0000000000000000", NoNewPrivs: "1", uid: "uid=0(root) gid=0(root)" } },
    { name: "privileged", security: { privileged: true }, want: { CapEff: expect.stringMatching(/^0+1f/) as string, CapBnd: expect.stringMatching(/^0+1f/) as string, NoNewPrivs: "0", uid: "uid=0(root) gid=0(root)" } },
  ])("rights: $name", async ({ security, want }) => {
    const { text } = await run(sh("grep -E '^(CapInh|CapEff|CapBnd|CapAmb|NoNewPrivs)' /proc/self/status; id; echo x > /dev/stdout"), secure(security));
    const fields = Object.fromEntries(text.split("\n").filter((l) => l.includes(":\t")).map((l) => l.split(":\t")));
    expect({ ...fields, uid: text.split("\n").find((l) => l.startsWith("uid=")) }).toEqual({ CapInh: "0000000000000000", CapAmb: "0000000000000000", ...want });
    expect(text).toContain("\nx\n");
  });

  test("mounts go where links in the image lead, nested ones and files too; read-only ones are", async () => {
    const volume = join(directory, "volume");
    mkdirSync(volume, { recursive: true });
    writeFileSync(join(volume, "file"), "content");
    const mounts = [
      { hostPath: volume, containerPath: "/deep/er/inner", readOnly: true },
      { hostPath: join(volume, "file"), containerPath: "/deep/er/one.txt", readOnly: false },
      { hostPath: volume, containerPath: "/deep/er", readOnly: false },
    ];
    const { text } = await run(sh("exec 2>&1; pwd; cat inner/file one.txt; echo y > new; echo n > inner/no; cat /deep/er/new"), { mounts, workingDir: "/deep/er" });
    expect(text).toMatch(/^\/deep\/er\ncontentcontent.*Read-only file system\ny\n$/);
    rmSync(volume, { recursive: true });
  });

  test("a read-only root leaves /dev, /dev/shm, the termination log and /etc/hosts writable, and the working directory is made", async () => {
    const status = await run(sh("pwd; for f in /x /dev/x /dev/shm/x /etc/hosts; do echo t > $f && echo $f; done; echo last words > /dev/termination-log"), { ...secure({ readOnlyRoot: true }), workingDir: "/made/here" });
    expect(status.text.split("\n").filter((l) => l.startsWith("/"))).toEqual(["/made/here", "/dev/x", "/dev/shm/x", "/etc/hosts"]);
    expect(readFileSync(status.terminationMessageFile, "utf8")).toBe("last words\n");
  });

  test("process 1 ignores a signal that it does not handle, gets SIGKILL after the grace period; a handler is heard", async () => {
    const deaf = await start(["sleep", "1000"]);
    await runtime.stopContainer(deaf.id, { gracePeriodMs: 100 });
    expect(await untilExited(runtime, deaf.id)).toMatchObject({ exitCode: 137, reason: "Error" });
    const polite = await start(sh("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done"));
    await expect.poll(() => (existsSync(polite.logPath) ? logText(polite.logPath) : "")).toBe("up\n");
    await runtime.stopContainer(polite.id, { gracePeriodMs: 10_000 });
    expect(await untilExited(runtime, polite.id)).toMatchObject({ exitCode: 7 });
    expect(logText(polite.logPath)).toBe("up\nbye\n");
  });

  test("one attempt starts once, however often it is asked for", async () => {
    const first = await start(sh("echo once"));
    const spec = containerSpec(first.sandboxId, first.logPath, layer, sh("echo twice"));
    await Promise.all([runtime.startContainer(spec), runtime.startContainer(spec)]);
    await untilExited(runtime, first.id);
    expect(logText(first.logPath)).toBe("once\n");
  });

  test("containers of a pod share host name, IPC and /dev/shm, and process ids where the pod says so", async () => {
    const one = await start(sh("echo hello > /dev/shm/x; sleep 98761"), { name: "one" }, { shareProcessNamespace: true });
    const log = (name: string) => join(directory, "logs", one.sandboxId, `${name}.log`);
    const two = await runtime.startContainer(containerSpec(one.sandboxId, log("two"), layer, sh("sleep 0.1; cat /dev/shm/x; readlink /proc/self/ns/ipc; ps -o pid,args | grep -c 'sleep 9876[1]'; sleep 98762 & exit 0"), { name: "two" }));
    expect(await untilExited(runtime, two.id)).toMatchObject({ exitCode: 0, reason: "Completed" });
    const [shared, ipc, sleeps] = logText(log("two")).split("\n");
    expect([shared, sleeps]).toEqual(["hello", "1"]);
    expect(ipc).not.toBe(execFileSync("readlink", ["/proc/self/ns/ipc"], { encoding: "utf8" }).trim());
    expect((await runtime.list()).containers.find((c) => c.id === one.id)?.state).toBe("running");
    await runtime.stopSandbox(one.sandboxId);
    expect(execFileSync("ps", ["-e", "-o", "args"], { encoding: "utf8" })).not.toMatch(/^sleep 9876/m);
  });

  test("pods have addresses of their own", async () => {
    const ips = (await runtime.list()).sandboxes.map((s) => s.ip);
    expect(new Set(ips).size).toBe(ips.length);
    expect(ips.every((ip) => ip?.startsWith("127."))).toBe(true);
  });

  test("exec runs beside the container with its user, environment and directory, and gives the exit code", async () => {
    const { id } = await start(["sleep", "1000"], { ...secure({ uid: 1000, gid: 1000 }), env: [["PATH", "/bin"], ["A", "b"]], workingDir: "/tmp" });
    const stdin = new PassThrough();
    const out = { stdout: new PassThrough(), stderr: new PassThrough() };
    const ended = runtime.exec(id, { command: sh("id -u; pwd; echo $A; ls /proc/$$/fd | wc -l; cat; echo err >&2; grep CapBnd /proc/self/status; ls -d /work; exit 9"), tty: false, stdin, ...out }, new AbortController().signal);
    stdin.end("from stdin\n");
    expect(await ended).toBe(9);
    expect(String(out.stdout.read())).toMatch(/^1000\n\/tmp\nb\n\d\nfrom stdin\nCapBnd:\t00000000a80425fb\n$/);
    expect(String(out.stderr.read())).toMatch(/^err\nls: \/work: No such file/);
    const nothing = { tty: false, stdin: undefined, ...out };
    await expect(runtime.exec(id, { ...nothing, command: ["nosuch"] }, new AbortController().signal)).rejects.toThrow('unable to start container process: exec: "nosuch": executable file not found in $PATH');
    expect(await runtime.exec(id, { ...nothing, command: sh("nosuch 2>/dev/null") }, new AbortController().signal)).toBe(127);
    const terminal = new PassThrough();
    expect(await runtime.exec(id, { command: sh("[ -t 1 ] && echo terminal; echo $TERM"), tty: true, stdin: undefined, stdout: terminal, stderr: terminal }, new AbortController().signal)).toBe(0);
    expect(String(terminal.read())).toBe("terminal\r\nxterm\r\n");
    await runtime.stopContainer(id, { gracePeriodMs: 0 });
  });

  test("the machine's userland: its programs, nothing of its homes and secrets, nothing writable", async () => {
    const { text, exitCode } = await run(["/bin/sh", "-c", "ls /usr/bin/env; touch /tmp/x /root/y && echo fresh; ls -A /home /var/lib; wc -c < /etc/shadow; touch /etc/z /usr/z; cat /etc/hosts /etc/config/k; readlink -f /bin/sh"], {
      root: { kind: "host" },
      mounts: [{ hostPath: layer, containerPath: "/etc/config", readOnly: true }],
    }, { hosts: "127.0.0.1 here\n" });
    expect(text).toMatch(/\/usr\/bin\/env\nfresh\n/);
    expect(text).toMatch(/\n0\n/);
    expect(text.match(/Read-only file system/g)?.length).toBe(2);
    expect(text).toContain("127.0.0.1 here\n");
    expect(exitCode).toBe(0);
    expect(existsSync("/etc/config")).toBe(false);
  });

  test("memory beyond the limit is OOMKilled, and its groups go away", async () => {
    const status = await run(sh("x=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; while :; do x=$x$x; done"), { resources: { memoryLimitBytes: 32 * 1024 * 1024, cpuQuotaMillicores: 500, pidsLimit: 50 } });
    expect(status).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
    for (const parent of ["", "memory", "cpu", "pids"]) expect(existsSync(join("/sys/fs/cgroup", parent, "stint", status.id))).toBe(false);
  });

  test("a shim that is killed takes its container along, and its end is unknown", async () => {
    const { id } = await start(["sleep", "1234"]);
    const [, , shim] = readFileSync(join(directory, "state/record", id), "utf8").trim().split(" ");
    process.kill(Number(shim), "SIGKILL");
    const other = openSandboxRuntime({ stateDir: join(directory, "state"), clock: systemClock, logger: silentLogger });
    await expect.poll(() => existsSync(`/proc/${shim}/cmdline`) && readFileSync(`/proc/${shim}/cmdline`, "utf8") !== "").toBe(false);
    await other.open();
    expect(await untilExited(other, id)).toMatchObject({ exitCode: 137, reason: "ContainerStatusUnknown" });
    await other.close();
  });

  test("nothing is left of a sandbox that was removed", async () => {
    const { sandboxId, logPath } = await run(sh("echo x > /y; echo z"));
    await runtime.removeSandbox(sandboxId);
    for (const name of ["container", "record", "output", "sandbox"]) expect(readdirSync(join(directory, "state", name)).filter((f) => f.startsWith(`${sandboxId}.`) || f === sandboxId)).toEqual([]);
    expect(readdirSync("/dev/shm").filter((f) => f.startsWith("stint-sandbox-") && existsSync(join("/dev/shm", f, sandboxId)))).toEqual([]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(directory);
    expect(logText(logPath)).toBe("z\n");
  });
});
