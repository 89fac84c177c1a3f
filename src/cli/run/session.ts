/**
 * The middle of a run: watches Jobs, Pods and Warning events, follows the logs, and knows when it is over. Everything is event-driven.
 */
import type { Readable } from "node:stream";
import type { Event, Job, Pod } from "../../api/generated/types.ts";
import { keyOf, type Stored } from "../../api/object.ts";
import type { Stint } from "../../app/stint.ts";
import { type Clock, sleep } from "../../base/clock.ts";
import { type Attempt, Attempts } from "./attempts.ts";
import { LogFollower, type LogLines } from "./log-follower.ts";
import { hasFailed, isOver, type RunState, seenKey, type Target, verdictsOf } from "./outcome.ts";
import type { End, Reporter } from "./report.ts";

export interface SessionDeps {
  readonly stint: Stint;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly targets: readonly Target[];
}

/** How long logs may be silent once everything has ended before they are taken to be at their end. */
const SILENCE_MS = 5_000;
/** Warnings that tell a waiting person why nothing goes on. Others (a container that fails, say) are told at the end. */
const WORTH_TELLING = new Set(["FailedScheduling", "Failed", "FailedMount", "FailedCreatePodSandBox", "FailedCreate", "ErrImageNeverPull", "InspectFailed", "Unhealthy"]);

export class Session {
  readonly #deps: SessionDeps;
  readonly #attempts = new Attempts();
  readonly #follower: LogFollower;
  readonly #told = new Set<string>();
  readonly #jobs = new Map<string, Stored<Job>>();
  readonly #pods = new Map<string, Stored<Pod>>();
  readonly #seen = new Set<string>();
  readonly #state: RunState = { jobs: this.#jobs, pods: this.#pods, seen: this.#seen };
  #settle: ((kind: "over") => void) | undefined;
  #batches = 0;
  #isBlocked = false;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#follower = new LogFollower({
      open: (attempt, signal) => this.#openLog(attempt, signal),
      onLines: (lines) => this.#onLines(lines),
      onError: (attempt, error) => deps.reporter.warning(`pod/${attempt.pod}`, "LogUnavailable", error instanceof Error ? error.message : String(error)),
    });
  }

  /** Rejects when stint itself can't go on. */
  async run(options: { readonly interrupted: AbortSignal; readonly timeoutMs: number | undefined }): Promise<End> {
    const { stint, clock, targets } = this.#deps;
    const kind = await new Promise<End["kind"]>((resolve, reject) => {
      this.#settle = resolve;
      void stint.failed.then((error) => reject(new Error(`the run can't go on: ${error.message}`, { cause: error })));
      if (options.interrupted.aborted) resolve("interrupted");
      options.interrupted.addEventListener("abort", () => resolve("interrupted"), { once: true });
      if (options.timeoutMs !== undefined) clock.after(options.timeoutMs, () => resolve("timed-out"));
      stint.observe({
        onJob: (job, gone) => this.#onJob(job, gone),
        onPod: (pod, gone) => this.#onPod(pod, gone),
        onEvent: (event) => this.#onEvent(event),
      });
    });
    await this.#drain(kind, options.interrupted);
    const verdicts = verdictsOf(targets, this.#state);
    const common = { verdicts, attempts: this.#attempts.all(), state: this.#state };
    if (kind === "over") return { kind, failed: hasFailed(verdicts), ...common };
    return kind === "timed-out" ? { kind, afterMs: options.timeoutMs ?? 0, ...common } : { kind, ...common };
  }

  /** Lets the last lines come, however many; a log that says nothing more and has no end (a pod that still stops) is not waited for. */
  async #drain(kind: End["kind"], interrupted: AbortSignal): Promise<void> {
    if (kind === "over") {
      const enough = new AbortController();
      interrupted.addEventListener("abort", () => enough.abort(), { once: true });
      void this.#follower.drained().then(() => enough.abort());
      let seen: number;
      do {
        seen = this.#batches;
        await sleep(this.#deps.clock, SILENCE_MS, enough.signal);
      } while (!enough.signal.aborted && (this.#batches > seen || this.#isBlocked));
    }
    this.#follower.stop();
  }

  async #onLines(lines: LogLines): Promise<void> {
    this.#batches++;
    this.#isBlocked = true;
    await this.#deps.reporter.lines(lines);
    this.#isBlocked = false;
  }

  #onJob(job: Stored<Job>, gone: boolean): void {
    this.#seen.add(seenKey("Job", keyOf(job)));
    if (gone) this.#jobs.delete(keyOf(job));
    else this.#jobs.set(keyOf(job), job);
    this.#changed();
  }

  #onPod(pod: Stored<Pod>, gone: boolean): void {
    this.#seen.add(seenKey("Pod", keyOf(pod)));
    for (const attempt of this.#attempts.see(pod)) {
      this.#deps.reporter.attempt(attempt);
      this.#follower.follow(attempt);
    }
    if (gone) this.#pods.delete(keyOf(pod));
    else this.#pods.set(keyOf(pod), pod);
    this.#changed();
  }

  #onEvent(event: Stored<Event>): void {
    if (event.type !== "Warning" || !WORTH_TELLING.has(event.reason ?? "")) return;
    const object = `${(event.involvedObject.kind ?? "object").toLowerCase()}/${event.involvedObject.name ?? ""}`;
    const text = `${object} ${event.reason ?? ""} ${event.message ?? ""}`;
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#deps.reporter.warning(object, event.reason ?? "", event.message ?? "");
  }

  #changed(): void {
    this.#deps.reporter.progress(this.#deps.targets, this.#state);
    if (isOver(verdictsOf(this.#deps.targets, this.#state))) this.#settle?.("over");
  }

  /** The current attempt's log, or the one before it where a restart was quicker than we. */
  #openLog(attempt: Attempt, signal: AbortSignal): Promise<Readable> {
    const pod = this.#pods.get(`${attempt.namespace}/${attempt.pod}`);
    const status = [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])].find((s) => s.name === attempt.container);
    const previous = status?.containerID !== undefined && status.containerID !== attempt.id && status.lastState?.terminated?.containerID === attempt.id;
    return this.#deps.stint.logs(
      { namespace: attempt.namespace, name: attempt.pod, uid: pod?.metadata.uid ?? "" },
      { container: attempt.container, follow: true, previous, timestamps: false },
      signal,
    );
  }
}
