/**
 * How a run tells what happens: text for people (logs plain or prefixed, a progress line on a terminal, failures in a table), or a JSON object a line.
 */
import type { Clock } from "../../base/clock.ts";
import { EXIT, type Io } from "../io.ts";
import { formatTable } from "../printers/table.ts";
import type { Attempt } from "./attempts.ts";
import type { LogLine } from "./log-follower.ts";
import { type RunState, type Target, targetName, type TargetVerdict } from "./outcome.ts";
import { describeProgress, ProgressLine } from "./progress.ts";

export type End =
  | { readonly kind: "over"; readonly failed: boolean; readonly verdicts: readonly TargetVerdict[]; readonly attempts: readonly Attempt[]; readonly state: RunState }
  | { readonly kind: "timed-out"; readonly afterMs: number; readonly verdicts: readonly TargetVerdict[]; readonly attempts: readonly Attempt[]; readonly state: RunState }
  | { readonly kind: "interrupted"; readonly verdicts: readonly TargetVerdict[]; readonly attempts: readonly Attempt[]; readonly state: RunState };

export interface Reporter {
  /** A new attempt begins. */
  attempt(attempt: Attempt): void;
  line(line: LogLine): void;
  progress(targets: readonly Target[], state: RunState): void;
  /** A Warning event that a person waiting should know of (an image that can't be pulled, no room on the node …). */
  warning(object: string, reason: string, message: string): void;
  finish(end: End): void;
}

/** `prefixed`: lines carry their pod's name from the start; else from the moment when a second pod begins. */
export function reporterFor(output: "text" | "json", options: { readonly prefixed: boolean }, io: Io, clock: Clock): Reporter {
  return output === "json" ? new JsonReporter(io) : new TextReporter(io, clock, options.prefixed);
}

class TextReporter implements Reporter {
  readonly #io: Io;
  readonly #progress: ProgressLine;
  #prefixed: boolean;
  #firstPod: string | undefined;
  #atLineStart = true;

  constructor(io: Io, clock: Clock, prefixed: boolean) {
    this.#io = io;
    this.#prefixed = prefixed;
    this.#progress = new ProgressLine(io.stderr, clock);
  }

  attempt(attempt: Attempt): void {
    const pod = `${attempt.namespace}/${attempt.pod}`;
    this.#firstPod ??= pod;
    if (this.#firstPod !== pod) this.#prefixed = true;
  }

  line({ attempt, bytes }: LogLine): void {
    this.#progress.clear();
    if (!this.#prefixed) {
      this.#io.stdout.write(bytes);
      this.#atLineStart = bytes.at(-1) === 0x0a;
      return;
    }
    if (!this.#atLineStart) this.#io.stdout.write("\n");
    this.#atLineStart = true;
    this.#io.stdout.write(Buffer.concat([Buffer.from(`[pod/${attempt.pod}/${attempt.container}] `), bytes, ...(bytes.at(-1) === 0x0a ? [] : [Buffer.from("\n")])]));
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
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
  }

  attempt(): void {}
  progress(): void {}

  line({ attempt, bytes }: LogLine): void {
    const text = bytes.toString("utf8");
    this.#write({ type: "log", namespace: attempt.namespace, pod: attempt.pod, container: attempt.container, log: text.endsWith("\n") ? text.slice(0, -1) : text });
  }

  warning(object: string, reason: string, message: string): void {
    this.#write({ type: "warning", object, reason, message });
  }

  finish(end: End): void {
    this.#write({
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

  #write(value: object): void {
    this.#io.stdout.write(`${JSON.stringify(value)}\n`);
  }
}
