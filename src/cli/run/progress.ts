/**
 * The line that says how far a run is: on a terminal only, redrawn in place, out of the way of the logs.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import type { Io } from "../io.ts";
import type { RunState, Target } from "./outcome.ts";

const REDRAW_MS = 100;
const CLEAR_LINE = "\r\u001b[2K";

/** `two-times 0/1 · 1 running` for each Job, `name Pending` for each Pod that is not over. */
export function describeProgress(targets: readonly Target[], state: RunState): string {
  const parts = targets.map(({ kind, namespace, name }) => {
    const key = `${namespace}/${name}`;
    if (kind === "Pod") return `${name} ${state.pods.get(key)?.status?.phase ?? "Pending"}`;
    const job = state.jobs.get(key);
    const { active = 0, succeeded = 0, failed = 0 } = job?.status ?? {};
    return [`${name} ${succeeded}/${job?.spec.completions ?? 1}`, ...(active > 0 ? [`${active} running`] : []), ...(failed > 0 ? [`${failed} failed`] : [])].join(" · ");
  });
  return parts.join("   ");
}

export class ProgressLine {
  readonly #out: Io["stderr"];
  readonly #clock: Clock;
  readonly #started: number;
  #text = "";
  #shown = false;
  #timer: Timer | undefined;

  constructor(out: Io["stderr"], clock: Clock) {
    this.#out = out;
    this.#clock = clock;
    this.#started = clock.now();
  }

  get enabled(): boolean {
    return this.#out.isTTY === true;
  }

  /** Shows `text` soon; calls in between cost nothing. */
  update(text: string): void {
    this.#text = text;
    if (!this.enabled || this.#timer) return;
    this.#timer = this.#clock.after(REDRAW_MS, () => {
      this.#timer = undefined;
      this.#draw();
    });
  }

  /** Takes the line away, for other output or for good. */
  clear(): void {
    if (this.#shown) this.#out.write(CLEAR_LINE);
    this.#shown = false;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.clear();
  }

  #draw(): void {
    const seconds = Math.floor((this.#clock.now() - this.#started) / 1000);
    const width = (this.#out.columns || 80) - 1;
    this.#out.write(`${CLEAR_LINE}${`${this.#text}   ${seconds}s`.slice(0, width)}`);
    this.#shown = true;
  }
}
