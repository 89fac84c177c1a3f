/**
 * How a run tells what happens: text for people (logs plain or prefixed, a progress line on a terminal, failures in a table), or a JSON object a line.
 */
import type { Clock } from "../../base/clock.ts";
import { EXIT, type Io } from "../io.ts";
import { formatTable } from "../printers/table.ts";
import type { Attempt } from "./attempts.ts";
import type { LogLines } from "./log-follower.ts";
import { type RunState, type Target, targetName, type TargetVerdict } from "./outcome.ts";
import { describeProgress, ProgressLine } from "./progress.ts";

export type End =
  | { readonly kind: "over"; readonly failed: boolean; readonly verdicts: readonly TargetVerdict[]; readonly attempts: readonly Attempt[]; readonly state: RunState }
  | { readonly kind: "timed-out"; readonly afterMs: number; readonly verdicts: readonly TargetVerdict[]; readonly attempts: readonly Attempt[]; readonly state: RunState }
  | { readonly kind: "interrupted"; readonly verdicts: readonly TargetVerdict[]; readonly attempts: readonly Attempt[]; readonly state: RunState };

export interface Reporter {
  /** A new attempt begins. */
  attempt(attempt: Attempt): void;
  /** Resolves when the output has room for more. */
  lines(lines: LogLines): Promise<void>;
  progress(targets: readonly Target[], state: RunState): void;
  /** A Warning event that a person waiting should know of (an image that can't be pulled, no room on the node …). */
  warning(object: string, reason: string, message: string): void;
  finish(end: End): void;
}

/** `prefixed`: lines carry their pod's name from the start; else from the moment when a second pod begins. */
export function reporterFor(output: "text" | "json", options: { readonly prefixed: boolean }, io: Io, clock: Clock): Reporter {
  return output === "json" ? new JsonReporter(io) : new TextReporter(io, clock, options.prefixed);
}

/** Writes as fast as the reader reads. */
class Output {
  readonly #stream: Io["stdout"];
  #room: Promise<void> | undefined;

  constructor(stream: Io["stdout"]) {
    this.#stream = stream;
  }

  write(bytes: Uint8Array | string): Promise<void> {
    if (this.#stream.write(bytes)) return Promise.resolve();
    return (this.#room ??= new Promise<void>((resolve) => this.#stream.once("drain", resolve)).then(() => {
      this.#room = undefined;
    }));
  }
}

const NEWLINE = Buffer.from("\n");
const isWhole = (line: Buffer): boolean => line.at(-1) === NEWLINE[0];

class TextReporter implements Reporter {
  readonly #io: Io;
  readonly #out: Output;
  readonly #progress: ProgressLine;
  #prefixed: boolean;
  #firstPod: string | undefined;
  #atLineStart = true;

  constructor(io: Io, clock: Clock, prefixed: boolean) {
    this.#io = io;
    this.#out = new Output(io.stdout);
    this.#prefixed = prefixed;
    this.#progress = new ProgressLine(io.stderr, clock);
  }

  attempt(attempt: Attempt): void {
    const pod = `${attempt.namespace}/${attempt.pod}`;
    this.#firstPod ??= pod;
    if (this.#firstPod !== pod) this.#prefixed = true;
  }

  lines({ attempt, lines }: LogLines): Promise<void> {
    this.#progress.clear();
    if (!this.#prefixed) {
      this.#atLineStart = isWhole(lines.at(-1) ?? NEWLINE);
      return this.#out.write(Buffer.concat(lines));
    }
    const prefix = Buffer.from(`[pod/${attempt.pod}/${attempt.container}] `);
    const parts = lines.flatMap((line) => (isWhole(line) ? [prefix, line] : [prefix, line, NEWLINE]));
    const before = this.#atLineStart ? [] : [NEWLINE];
    this.#atLineStart = true;
    return this.#out.write(Buffer.concat([...before, ...parts]));
  }

  progress(targets: readonly Target[], state: RunState): void {
    this.#progress.update(describeProgress(targets, state));
  }

  warning(object: string, reason: string, message: string): void {
    this.#progress.clear();
    this.#io.stderr.write(`stint: ${object}: ${reason}: ${message}\n`);
  }

  finish(end: End): void {
    this.#progress.stop();
    const { stderr } = this.#io;
    for (const { target, verdict } of end.verdicts) {
      if (verdict.kind === "failed") stderr.write(`stint: ${targetName(target)} failed: ${verdict.reason}${verdict.message ? `: ${verdict.message}` : ""}\n`);
      if (verdict.kind === "gone") stderr.write(`stint: ${targetName(target)} was deleted before it was done\n`);
      if (verdict.kind === "running" && end.kind === "timed-out") stderr.write(`stint: ${targetName(target)} was not done after ${end.afterMs / 1000}s (--timeout)\n`);
    }
    if (end.kind === "interrupted") stderr.write("stint: interrupted; everything is stopped\n");
    if (end.kind !== "over" || end.failed) this.#failures(end.attempts);
  }

  #failures(attempts: readonly Attempt[]): void {
    const failed = attempts.filter((a) => a.exitCode !== undefined && a.exitCode !== 0);
    if (failed.length === 0) return;
    this.#io.stderr.write(formatTable(["Pod", "Container", "Exit code", "Reason", "Message"], failed.map((a) => [a.pod, a.container, String(a.exitCode), a.reason ?? "", (a.message ?? "").split("\n")[0] ?? ""])).replace(/ +$/gm, ""));
  }
}

class JsonReporter implements Reporter {
  readonly #out: Output;

  constructor(io: Io) {
    this.#out = new Output(io.stdout);
  }

  attempt(): void {}
  progress(): void {}

  lines({ attempt, lines }: LogLines): Promise<void> {
    const { namespace, pod, container } = attempt;
    return this.#write(...lines.map((line) => ({ type: "log", namespace, pod, container, log: line.toString("utf8", 0, isWhole(line) ? line.length - 1 : line.length) })));
  }

  warning(object: string, reason: string, message: string): void {
    void this.#write({ type: "warning", object, reason, message });
  }

  finish(end: End): void {
    void this.#write({
      type: "result",
      status: end.kind === "over" ? (end.failed ? "Failed" : "Complete") : end.kind === "timed-out" ? "TimedOut" : "Interrupted",
      exitCode: end.kind === "interrupted" ? EXIT.interrupted : end.kind === "over" && !end.failed ? EXIT.ok : EXIT.failed,
      targets: end.verdicts.map(({ target, verdict }) => ({
        kind: target.kind,
        namespace: target.namespace,
        name: target.name,
        verdict: verdict.kind,
        ...(verdict.kind === "failed" && { reason: verdict.reason, message: verdict.message }),
        status: (target.kind === "Job" ? end.state.jobs : end.state.pods).get(`${target.namespace}/${target.name}`)?.status ?? null,
      })),
      attempts: end.attempts.map(({ id: _id, ...rest }) => rest),
    });
  }

  #write(...values: readonly object[]): Promise<void> {
    return this.#out.write(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  }
}
