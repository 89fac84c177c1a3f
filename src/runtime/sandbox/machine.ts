/**
 * What this machine can do: the tools that the scripts call, the kernel's features (tried, not guessed from versions), and the fixed layers of
 * every root. One short shell run at open; the answer decides how containers are mounted. A missing feature is one clear sentence.
 */
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Layout } from "./layout.ts";
import type { Machine as ScriptTools } from "./scripts.ts";

export class UnsupportedMachineError extends Error {
  override readonly name = "UnsupportedMachineError";
}

export interface Machine {
  readonly isRoot: boolean;
  readonly tools: ScriptTools;
  readonly unshare: string;
  readonly nsenter: string;
  readonly setpriv: string;
  readonly bash: string | undefined;
  /** script(1), which gives a terminal to those who ask for one. */
  readonly script: string | undefined;
  /** Puts the launcher into the user namespace that all containers of an ordinary user share; empty for root. */
  readonly userNamespace: readonly string[];
  /** Whether that namespace has more than one user: ids and groups can be set. */
  readonly manyIds: boolean;
  readonly devices: readonly string[];
  readonly proc: "new" | "bind";
  readonly sysfs: "new" | "bind";
  readonly mqueue: boolean;
  readonly overlayOptions: readonly string[];
  readonly setHostname: string;
  readonly masked: readonly { readonly path: string; readonly isDirectory: boolean }[];
  readonly readOnlyPaths: readonly string[];
}

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];

/** Follows containerd's default masked and read-only paths. */
const MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"];
const READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const SEARCH = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

function findTool(name: string): string | undefined {
  for (const directory of SEARCH) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      if (directory.startsWith("/") && statSync(path).isFile()) return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

function needTool(name: string, from: string): string {
  const path = findTool(name);
  if (path === undefined) throw new UnsupportedMachineError(`containers need ${name}(1), which is not installed: install ${from}`);
  return path;
}

/** Tries everything out and prepares the fixed layers. Rejects with UnsupportedMachineError. */
export async function inspectMachine(layout: Layout): Promise<Machine> {
  if (process.platform !== "linux") throw new UnsupportedMachineError("containers need Linux");
  const isRoot = process.geteuid?.() === 0;
  const shell = realpathSync(findTool("dash") ?? needTool("sh", "a POSIX shell"));
  const unshare = needTool("unshare", "util-linux");
  for (const tool of ["mount", "umount", "pivot_root", "setsid", "nsenter"]) needTool(tool, "util-linux");
  for (const tool of ["cat", "env", "rm", "cp", "mkfifo", "chown", "tail", "readlink"]) needTool(tool, "coreutils");
  const setpriv = needTool("setpriv", "util-linux (on some systems a package of its own: setpriv)");
  makeLayers(layout);
  const many = !isRoot && findTool("newuidmap") !== undefined && hasSubordinateIds();
  const userNamespace = isRoot ? [] : [unshare, "--user", "--map-root-user", ...(many ? ["--map-auto"] : [])];
  const seen = await probe(layout, { shell, unshare, userNamespace, isRoot });
  return {
    isRoot,
    tools: {
      shell,
      env: [needTool("env", "coreutils"), "-i", ...(seen.has("signals") ? ["--default-signal=INT,QUIT"] : [])],
      pivotRoot: needTool("pivot_root", "util-linux"),
      umountFromDev: [...loaderOf(seen.get("libraries") ?? ""), `/dev${realpathSync(needTool("umount", "util-linux"))}`, "-nicl", "/dev"],
    },
    unshare,
    nsenter: needTool("nsenter", "util-linux"),
    setpriv,
    bash: findTool("bash"),
    script: findTool("script"),
    userNamespace,
    manyIds: isRoot || many,
    devices: seen.has("devices") ? [] : DEVICES.map((d) => `/dev/${d}`),
    proc: seen.has("proc") ? "new" : "bind",
    sysfs: seen.has("sysfs") ? "new" : "bind",
    mqueue: seen.has("mqueue"),
    overlayOptions: seen.get("overlay") === "" ? [] : [seen.get("overlay") ?? ""],
    setHostname: seen.has("hostname") ? "/proc/sys/kernel/hostname" : "",
    masked: MASKED.filter((p) => existsSync(p)).map((path) => ({ path, isDirectory: statSync(path).isDirectory() })),
    readOnlyPaths: READ_ONLY.filter((p) => existsSync(p)),
  };
}

function hasSubordinateIds(): boolean {
  try {
    const uid = String(process.geteuid?.());
    const user = readFileSync("/etc/passwd", "utf8").split("\n").find((l) => l.split(":")[2] === uid)?.split(":")[0];
    const listed = (file: string) => readFileSync(file, "utf8").split("\n").some((l) => l.startsWith(`${uid}:`) || (user !== undefined && l.startsWith(`${user}:`)));
    return listed("/etc/subuid") && listed("/etc/subgid");
  } catch {
    return false;
  }
}

/** The skeleton (lowest) and /dev (topmost). Devices themselves are made by the probe, in the right namespace. */
function makeLayers(layout: Layout): void {
  layout.create();
  for (const path of ["proc", "sys", "dev", "etc", "tmp"]) mkdirSync(join(layout.skeleton, path), { recursive: true });
  for (const file of ["etc/hosts", "etc/hostname", "etc/resolv.conf"]) writeFileSync(join(layout.skeleton, file), "", { flag: "a" });
  const dev = join(layout.devices, "dev");
  for (const path of ["pts", "shm", "mqueue"]) mkdirSync(join(dev, path), { recursive: true });
  writeFileSync(join(dev, "termination-log"), "", { flag: "a" });
  const links = { fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1", stderr: "/proc/self/fd/2", ptmx: "pts/ptmx" };
  for (const [name, target] of Object.entries(links)) if (!readdirSync(dev).includes(name)) symlinkSync(target, join(dev, name));
}

/** Prints a word, and perhaps a value, per feature that works. Tried as one would use it, thrown away with its namespaces. */
const PROBE = `
cd "$1" || exit
env --default-signal=INT,QUIT true && echo signals
[ -e devices/dev/tty ] || cp -a ${DEVICES.map((d) => `/dev/${d}`).join(" ")} devices/dev/ || for d in ${DEVICES.join(" ")}; do : >devices/dev/$d; done
if [ -c devices/dev/null ] && : >devices/dev/null; then echo devices; fi
mkdir -p probe/upper probe/work
$2 --mount --pid --uts --ipc --propagation private --fork $3 -c '
echo namespaces
layers=lowerdir=devices:skeleton,upperdir=probe/upper,workdir=probe/work
if mount -t overlay -o $layers,volatile overlay root; then echo overlay volatile
elif mount -t overlay -o $layers overlay root; then echo overlay
fi
mount -t proc proc root/proc && echo proc
mount -t sysfs sysfs root/sys && echo sysfs
mount -t mqueue mqueue root/dev/mqueue && echo mqueue
echo probe >/proc/sys/kernel/hostname && echo hostname
:'
rm -rf probe
`;

interface ProbeOptions {
  readonly shell: string;
  readonly unshare: string;
  readonly userNamespace: readonly string[];
  readonly isRoot: boolean;
}

async function probe(layout: Layout, o: ProbeOptions): Promise<Map<string, string>> {
  const libraries = listLibraries(realpathSync(needTool("umount", "util-linux")));
  const words = [...o.userNamespace, o.shell, "-c", PROBE, "probe", layout.state, o.unshare, o.shell];
  const { stdout, stderr } = await run(words);
  const seen = new Map(stdout.split("\n").filter((l) => l !== "").map((l) => [l.split(" ")[0] ?? "", l.slice((l.split(" ")[0] ?? "").length + 1)] as const));
  if (!seen.has("namespaces")) throw new UnsupportedMachineError(namespacesMissing(o.isRoot, stderr));
  if (!seen.has("overlay")) throw new UnsupportedMachineError(`overlay file systems cannot be mounted under ${layout.state}: ${lastLine(stderr)}; put the data directory on a local file system (ext4, xfs, btrfs, tmpfs)${o.isRoot ? "" : ", and use Linux 5.11 or later"}`);
  seen.set("libraries", await libraries);
  return seen;
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";

function namespacesMissing(isRoot: boolean, stderr: string): string {
  const reason = lastLine(stderr);
  if (isRoot) return `namespaces cannot be made on this machine (${reason}): inside a container, start that one with --privileged`;
  const fix = existsSync("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    ? "sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    : "sysctl user.max_user_namespaces=15000 (and kernel.unprivileged_userns_clone=1 where there is one)";
  return `this user may not make user namespaces (${reason}): an administrator can allow it with ${fix}, or run stint as root`;
}

function run(words: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const [file = "", ...args] = words;
  return new Promise((resolve) => {
    execFile(file, args, { env: { PATH: SEARCH.join(":"), LC_ALL: "C" } }, (error, stdout, stderr) => resolve({ stdout, stderr: stderr === "" && error ? error.message : stderr }));
  });
}

/** The loader of a program and its libraries, one path a line, the loader first; empty for a static program. */
export async function listLibraries(program: string): Promise<string> {
  const loader = interpreterOf(program);
  if (loader === undefined) return "";
  const { stdout } = await run([loader, "--list", program]);
  const libraries = stdout.split("\n").flatMap((line) => /=> (\/\S+)/.exec(line)?.[1] ?? []);
  return [realpathSync(loader), ...libraries.map((l) => join(realpathSync(dirname(l)), basename(l)))].join(" ");
}

/** How a program is called whose root has been moved to /dev: by its own loader, with the libraries' directories. */
function loaderOf(libraries: string): string[] {
  const [loader, ...paths] = libraries.split(" ").filter((p) => p !== "");
  if (loader === undefined) return [];
  const directories = new Set(paths.map((p) => `/dev${p.slice(0, p.lastIndexOf("/"))}`));
  return [`/dev${loader}`, "--library-path", [...directories].join(":")];
}

/** PT_INTERP of an ELF file of this machine's own word size. */
function interpreterOf(program: string): string | undefined {
  const file = readFileSync(program);
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) return undefined;
  const offset = Number(file.readBigUInt64LE(32));
  const size = file.readUInt16LE(54);
  for (let i = 0; i < file.readUInt16LE(56); i++) {
    const header = offset + i * size;
    if (file.readUInt32LE(header) !== 3) continue;
    const start = Number(file.readBigUInt64LE(header + 8));
    return file.toString("latin1", start, start + Number(file.readBigUInt64LE(header + 32)) - 1);
  }
  return undefined;
}
