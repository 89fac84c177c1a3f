/**
 * The memory of one pod's worker, writable. What it means is said where `PodMemory` is declared.
 */
import type { ContainerState } from "../../api/generated/types.ts";
import type { Instant } from "../../base/clock.ts";
import type { BackOff } from "./back-off.ts";
import type { PullMemory } from "./image.ts";
import type { ForcedEnd, PodMemory, ProbeResults, StartFailure } from "./world.ts";

export class Memory implements PodMemory {
  startTime: Instant;
  readonly failures = new Map<string, StartFailure>();
  readonly backOffs = new Map<string, BackOff>();
  readonly probes = new Map<string, ProbeResults>();
  readonly postStart = new Set<string>();
  readonly stopping = new Map<string, Instant>();
  readonly condemned = new Set<string>();
  readonly messages = new Map<string, string>();
  readonly restarted = new Map<string, { readonly attempt: number; readonly lastState: ContainerState }>();
  restartingAll = false;
  busy = false;
  forcedEnd: ForcedEnd | undefined;
  /** The agent refused the pod: none of its containers was ever looked at. */
  rejected = false;
  terminatingSince: Instant | undefined;
  readonly pulls: PullMemory = { backOffs: new Map() };
  /** Attempts of which the user was told that they wait. */
  readonly toldBackOff = new Map<string, number>();
  /** How often volumes or the sandbox failed in a row. */
  podFailures = 0;

  constructor(startTime: Instant) {
    this.startTime = startTime;
  }

  /** Forgets what was remembered of containers that are not there any more. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const map of [this.probes, this.stopping, this.messages]) for (const id of map.keys()) if (!ids.has(id)) map.delete(id);
    for (const set of [this.postStart, this.condemned]) for (const id of set) if (!ids.has(id)) set.delete(id);
  }
}
