/**
 * `stint up`: serves the Kubernetes API on loopback until it is told to stop.
 */
import { defaultDataDirectory, mergeMirrors, type Part, PARTS, readSettings, UsageError } from "../../app/configuration.ts";
import { EXIT, type Io } from "../io.ts";
import { chooseUserland } from "./run.ts";

export interface UpOptions {
  readonly port: string;
  readonly dataDir?: string;
  readonly kubeconfig?: string;
  readonly disable?: readonly string[];
  readonly userland?: string;
  readonly registryMirror?: readonly string[];
  readonly strictPull?: boolean;
  readonly config?: string;
  readonly auditLog?: string;
  readonly verbose?: boolean;
}

export function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 0 && port <= 65_535)) throw new UsageError(`--port ${text}: expected a number from 0 (any free port) to 65535`);
  return port;
}

export function parseParts(values: readonly string[]): ReadonlySet<Part> {
  const names = values.flatMap((v) => v.split(",")).map((v) => v.trim()).filter((v) => v !== "");
  const stranger = names.find((n) => !(PARTS as readonly string[]).includes(n));
  if (stranger !== undefined) throw new UsageError(`--disable ${stranger}: expected some of ${PARTS.join(", ")}`);
  return new Set(names as Part[]);
}

export async function up(options: UpOptions, io: Io): Promise<number> {
  const port = parsePort(options.port);
  const disabled = parseParts(options.disable ?? []);
  const settings = await readSettings(options.config, io.env);
  const { openServedStint } = await import("../../app/served.ts");
  const stint = await openServedStint({
    dataDirectory: options.dataDir ?? defaultDataDirectory(io.env),
    port,
    ...(options.kubeconfig !== undefined && { kubeconfigPath: options.kubeconfig }),
    ...(options.auditLog !== undefined && { auditLogPath: options.auditLog }),
    disabled,
    // A server that others rely on does as a cluster does, unless it was told otherwise.
    userland: chooseUserland(options.userland, settings.userland ?? "image", io.env),
    strictPull: options.strictPull ?? settings.strictPull,
    registryMirrors: mergeMirrors(settings.registryMirrors, options.registryMirror ?? []),
    verbose: options.verbose ?? false,
    onNotice: (text) => io.stderr.write(`stint: ${text}\n`),
  });
  io.stdout.write(`stint: serving ${stint.url}; use it with: export KUBECONFIG=${stint.kubeconfigPath}\n`);
  const failure = await new Promise<Error | undefined>((resolve) => {
    if (io.interrupted.aborted) resolve(undefined);
    io.interrupted.addEventListener("abort", () => resolve(undefined), { once: true });
    void stint.failed.then(resolve);
  });
  await stint.close();
  if (failure) {
    io.stderr.write(`stint: stopped: ${failure.message}\n`);
    return EXIT.failed;
  }
  return EXIT.ok;
}
