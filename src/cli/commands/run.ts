/**
 * `stint run FILE…`: a whole stint inside this process for as long as the manifests' Jobs and Pods take; their logs on stdout, what went wrong on stderr,
 * the result as the exit status, nothing left behind.
 */
import { isUserland, mergeMirrors, readSettings, USERLANDS, UsageError, type Userland } from "../../app/configuration.ts";
import type { Stint } from "../../app/stint.ts";
import { systemClock } from "../../base/clock.ts";
import { parseDuration } from "../duration.ts";
import { EXIT, type Io } from "../io.ts";
import { readManifests } from "../manifests.ts";
import { applyManifests } from "../run/apply.ts";
import { reporterFor } from "../run/report.ts";
import { Session } from "../run/session.ts";
import { logSources } from "../run/outcome.ts";

export interface RunOptions {
  readonly timeout?: string;
  readonly output: string;
  readonly userland?: string;
  readonly registryMirror?: readonly string[];
  readonly strictPull?: boolean;
  readonly dataDir?: string;
  readonly config?: string;
  readonly verbose?: boolean;
}

/** With CI set, a run that silently used another userland would prove nothing. */
export function chooseUserland(flag: string | undefined, file: Userland | undefined, env: NodeJS.ProcessEnv): Userland {
  if (flag !== undefined && !isUserland(flag)) throw new UsageError(`--userland ${flag}: expected one of ${USERLANDS.join(", ")}`);
  return flag ?? file ?? (env["CI"] ? "image" : "auto");
}

export async function run(files: readonly string[], options: RunOptions, io: Io): Promise<number> {
  const timeoutMs = options.timeout === undefined ? undefined : parseDuration(options.timeout);
  if (options.timeout !== undefined && timeoutMs === undefined) throw new UsageError(`--timeout ${options.timeout}: expected a duration such as 90s, 10m or 1h30m`);
  if (options.output !== "text" && options.output !== "json") throw new UsageError(`--output ${options.output}: expected text or json`);
  const settings = await readSettings(options.config, io.env);
  const userland = chooseUserland(options.userland, settings.userland, io.env);
  const [manifests, { openEphemeralStint }] = await Promise.all([readManifests(files, io.stdin), import("../../app/ephemeral.ts")]);
  const stint = await openEphemeralStint({
    userland,
    ...(options.dataDir !== undefined && { dataDirectory: options.dataDir }),
    env: io.env,
    strictPull: options.strictPull ?? settings.strictPull,
    registryMirrors: mergeMirrors(settings.registryMirrors, options.registryMirror ?? []),
    verbose: options.verbose ?? false,
    onNotice: (text) => io.stderr.write(`stint: ${text}\n`),
  });
  try {
    return await play(stint, manifests, { output: options.output, timeoutMs }, io);
  } finally {
    await stint.close();
  }
}

async function play(stint: Stint, manifests: Awaited<ReturnType<typeof readManifests>>, options: { readonly output: "text" | "json"; readonly timeoutMs: number | undefined }, io: Io): Promise<number> {
  const applied = await applyManifests(stint, manifests, (warning) => io.stderr.write(`Warning: ${warning}\n`));
  const reporter = reporterFor(options.output, { prefixed: logSources(applied.watched) > 1 }, io, systemClock);
  const session = new Session({ stint, clock: systemClock, reporter, targets: applied.targets });
  const end = await session.run({ interrupted: io.interrupted, timeoutMs: options.timeoutMs });
  reporter.finish(end);
  if (end.kind === "interrupted") return io.interrupted.reason === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
  return end.kind === "over" && !end.failed ? EXIT.ok : EXIT.failed;
}
