/**
 * The command line: parses, calls one command, turns its result into the exit status. A user's mistake is one line and status 2, never a stack trace.
 */
import { Command, CommanderError, Option } from "commander";
import { UsageError } from "../app/configuration.ts";
import { VERSION } from "../app/version.ts";
import type { ImageOptions, ImportOptions } from "./commands/image.ts";
import type { RunOptions } from "./commands/run.ts";
import type { UpOptions } from "./commands/up.ts";
import { EXIT, type Io } from "./io.ts";

const collect = (value: string, all: readonly string[] | undefined) => [...(all ?? []), value];

const dataDir = () => new Option("--data-dir <dir>", "where images and state are kept (default: /var/lib/stint as root, else ~/.local/share/stint)");
const config = () => new Option("--config <file>", "configuration file (default: ~/.config/stint/config.yaml, if there)");
const mirror = () => new Option("--registry-mirror <registry=url>", "ask this registry first, e.g. docker.io=http://127.0.0.1:5000; repeatable").argParser(collect);
const userland = (text: string) => new Option("--userland <where>", `where programs come from: image, host (this machine's own, read-only) or auto (image; host where no registry can be reached) (default: ${text})`);
const strictPull = () => new Option("--strict-pull", "pull policy Always fails without a registry, even when the image is in the store");
const verbose = () => new Option("-v, --verbose", "log what happens inside, to stderr");

/** What the chosen command gives back as the exit status. */
type Finish = (code: Promise<number>) => void;

export function buildProgram(io: Io, finish: Finish): Command {
  const program = new Command("stint")
    .description("Kubernetes Jobs on one machine, without a cluster.")
    .version(`stint ${VERSION}`, "-V, --version")
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text), outputError: (text, write) => write(text.replace(/^error: /, "stint: ")) })
    .exitOverride()
    .helpCommand("help [command]", "show help for a command");

  program
    .command("run")
    .description("run the Jobs and Pods of manifests to their end: logs to stdout, exit status 0 if all completed, 1 if one failed")
    .argument("<file...>", "manifests, YAML or JSON; - for standard input")
    .option("--timeout <duration>", "give up after this long (90s, 10m, 1h30m)")
    .addOption(new Option("-o, --output <format>", "text, or json (one object a line)").default("text"))
    .addOption(userland("auto; image where CI is set"))
    .addOption(mirror())
    .addOption(strictPull())
    .addOption(dataDir())
    .addOption(config())
    .addOption(verbose())
    .action((files: string[], options: RunOptions) => finish(import("./commands/run.ts").then((m) => m.run(files, options, io))));

  program
    .command("up")
    .description("serve the Kubernetes API on loopback, for kubectl and every client, until stopped")
    .addOption(new Option("--port <n>", "port on 127.0.0.1; 0 picks a free one").default("6443"))
    .addOption(dataDir())
    .option("--kubeconfig <file>", "where the kubeconfig is written (default: kubeconfig in the data directory)")
    .addOption(new Option("--disable <parts>", "leave out some of agent, scheduler, controllers (comma-separated): what they do then waits for somebody else").argParser(collect))
    .addOption(userland("image"))
    .addOption(mirror())
    .addOption(strictPull())
    .option("--audit-log <file>", "write a JSON line for each request")
    .addOption(config())
    .addOption(verbose())
    .action((options: UpOptions) => finish(import("./commands/up.ts").then((m) => m.up(options, io))));

  addImageCommands(program, io, finish);

  program
    .command("version")
    .description("show the version")
    .action(() => {
      io.stdout.write(`stint ${VERSION}\n`);
      finish(Promise.resolve(EXIT.ok));
    });
  return program;
}

function addImageCommands(program: Command, io: Io, finish: Finish): void {
  const image = program.command("image").description("look into and change the image store");
  const load = () => import("./commands/image.ts");
  image
    .command("ls")
    .description("list images")
    .addOption(dataDir())
    .addOption(config())
    .action((options: ImageOptions) => finish(load().then((m) => m.listImages(options, io))));
  image
    .command("pull")
    .description("pull images")
    .argument("<name...>", "such as alpine or docker.io/library/alpine:3.20")
    .addOption(dataDir())
    .addOption(mirror())
    .addOption(config())
    .action((names: string[], options: ImageOptions) => finish(load().then((m) => m.pullImages(names, options, io))));
  image
    .command("import")
    .description("import an OCI layout or a docker save archive, or make an image of a static busybox")
    .argument("[file]", "archive or directory")
    .option("--tag <name>", "name for the image; with --busybox repeatable", collect)
    .option("--busybox <file>", "a static busybox, such as /bin/busybox")
    .addOption(dataDir())
    .addOption(config())
    .action((file: string | undefined, options: ImportOptions) => finish(load().then((m) => m.importImage(file, options, io))));
  image
    .command("rm")
    .description("remove images by name")
    .argument("<name...>")
    .addOption(dataDir())
    .addOption(config())
    .action((names: string[], options: ImageOptions) => finish(load().then((m) => m.removeImages(names, options, io))));
}

/** Runs one command line; resolves with the exit status. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code: Promise<number> = Promise.resolve(EXIT.ok);
  try {
    const program = buildProgram(io, (result) => {
      code = result;
    });
    await program.parseAsync([...argv], { from: "user" });
    return await code;
  } catch (error) {
    return explain(error, io);
  }
}

function explain(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 || error.code === "commander.help" ? (error.exitCode === 0 ? EXIT.ok : EXIT.usage) : EXIT.usage;
  if (error instanceof UsageError) {
    io.stderr.write(`stint: ${error.message}\n`);
    return EXIT.usage;
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  io.stderr.write(`stint: ${message}${name === "PullError" || name === "StatusError" ? "" : ` (an error that stint did not expect; ${io.env["STINT_DEBUG"] ? stack : "set STINT_DEBUG=1 to see where"})`}\n`);
  return EXIT.failed;
}
