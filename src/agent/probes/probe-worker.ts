/**
 * One probe of one container: when it runs, and what its results in a row come to. `step` is pure; the worker only waits and runs.
 * Follows kubernetes pkg/kubelet/prober/worker.go (doProbe).
 */
import type { Probe } from "../../api/generated/types.ts";
import type { Clock, Instant, Timer } from "../../base/clock.ts";
import type { ProbeResult } from "../pod/world.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";

export interface ProbeOutcome {
  readonly success: boolean;
  readonly output: string;
}

/** The probe could not be made: that says nothing about the container. */
export class ProbeError extends Error {
  override readonly name = "ProbeError";
}

/** Equal results in a row, and what was made of them. */
export interface ProbeState {
  readonly last: boolean | undefined;
  readonly run: number;
  readonly result: ProbeResult;
}

export const PROBE_START: ProbeState = { last: undefined, run: 0, result: "unknown" };

/** The state after one more outcome: thresholds decide when it counts. */
export function step(state: ProbeState, success: boolean, probe: Pick<Probe, "successThreshold" | "failureThreshold">): ProbeState {
  const run = state.last === success ? state.run + 1 : 1;
  const threshold = success ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return { last: success, run, result: run >= threshold ? (success ? "success" : "failure") : state.result };
}

export interface ProbeWorkerContext {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  readonly clock: Clock;
  readonly startedAt: Instant;
  readonly isHeld: () => boolean;
  readonly run: (signal: AbortSignal) => Promise<ProbeOutcome>;
  readonly tell: (message: string) => void;
  readonly onResult: (result: ProbeResult) => void;
}

const TITLES: Readonly<Record<ProbeKind, string>> = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" };

export class ProbeWorker {
  readonly #context: ProbeWorkerContext;
  readonly #closed = new AbortController();
  #state: ProbeState = PROBE_START;
  #timer: Timer | undefined;
  #held = false;

  constructor(context: ProbeWorkerContext) {
    this.#context = context;
  }

  open(): void {
    const { clock, probe, startedAt } = this.#context;
    this.#after(Math.max(startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now(), 0));
  }

  /** What held it may be over. */
  release(): void {
    if (this.#held) this.#after(0);
    this.#held = false;
  }

  close(): void {
    this.#closed.abort();
    this.#timer?.cancel();
  }

  #after(ms: number): void {
    if (!this.#closed.signal.aborted) this.#timer = this.#context.clock.after(ms, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const { kind, probe, isHeld, run, tell, onResult } = this.#context;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    this.#held = isHeld();
    if (this.#held) return;
    const outcome = await run(this.#closed.signal).catch((error: unknown) => (error instanceof ProbeError ? error : { success: false, output: error instanceof Error ? error.message : String(error) }));
    if (this.#closed.signal.aborted) return;
    if (outcome instanceof ProbeError) {
      tell(`${TITLES[kind]} probe errored and resulted in unknown state: ${outcome.message}`);
      return this.#after(periodMs);
    }
    if (!outcome.success) tell(`${TITLES[kind]} probe failed: ${outcome.output}`);
    const before = this.#state.result;
    this.#state = step(this.#state, outcome.success, probe);
    if (this.#state.result !== before) onResult(this.#state.result);
    // What has failed for good waits for its container's end, and a container starts only once.
    if (this.#state.result === "failure" && kind !== "readiness") return;
    if (this.#state.result === "success" && kind === "startup") return;
    this.#after(periodMs);
  }
}
