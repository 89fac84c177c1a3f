/**
 * Brings one pod's status to the API: the last one wins, one write at a time, and what is not urgent waits a moment for what may follow.
 * Follows kubernetes pkg/kubelet/status/status_manager.go in what it writes, not in how often.
 */
import { isDeepStrictEqual } from "node:util";
import type { Pod, PodStatus } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { PODS } from "../../api/resource.ts";
import { isConflict, isNotFound } from "../../api/status-error.ts";
import { sleep, type Clock, type Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Client } from "../../client/client.ts";
import { statusPatch } from "./pod-status.ts";

/** How long a status that is not urgent waits for the next. */
const COALESCE_MS = 15;
const RETRY_FIRST_MS = 200;
const RETRY_MAX_MS = 10_000;

export interface StatusWriterDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The status as the API is known to have it. */
  readonly current: () => PodStatus;
  readonly onWritten: (pod: Stored<Pod>) => void;
}

export class StatusWriter {
  readonly #deps: StatusWriterDeps;
  readonly #ref: { readonly namespace: string; readonly name: string; readonly uid: string };
  #wanted: PodStatus | undefined;
  /** What was written last. However the server may have it now, writing it again would change nothing. */
  #last: PodStatus | undefined;
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #gone = false;

  constructor(deps: StatusWriterDeps, pod: Stored<Pod>) {
    this.#deps = deps;
    this.#ref = { namespace: pod.metadata.namespace ?? "", name: pod.metadata.name, uid: pod.metadata.uid };
  }

  publish(status: PodStatus, { urgent }: { readonly urgent: boolean }): void {
    if (this.#gone) return;
    if (!this.#wanted && (isDeepStrictEqual(status, this.#last) || !statusPatch(this.#ref.uid, this.#deps.current(), status))) return;
    this.#wanted = status;
    if (urgent) this.#start();
    else this.#timer ??= this.#deps.clock.after(COALESCE_MS, () => this.#start());
  }

  /** Resolves when the last published status is in the API (or its pod is gone). */
  async flush(): Promise<void> {
    for (this.#start(); this.#writing; this.#start()) await this.#writing;
  }

  /** Another pod has the name now, or none: nobody is left to tell. */
  async #isGone(failure: unknown): Promise<boolean> {
    if (isNotFound(failure)) return true;
    if (!isConflict(failure)) return false;
    try {
      return (await this.#deps.client.get(PODS, this.#ref)).metadata.uid !== this.#ref.uid;
    } catch (cause) {
      return isNotFound(cause);
    }
  }

  #start(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#wanted === undefined || this.#gone) return;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      // What was published after the last look must not wait for the next.
      this.#start();
    });
  }

  async #write(): Promise<void> {
    let pauseMs = RETRY_FIRST_MS;
    while (this.#wanted !== undefined && !this.#gone) {
      const status = this.#wanted;
      this.#wanted = undefined;
      const patch = statusPatch(this.#ref.uid, this.#deps.current(), status);
      if (!patch) continue;
      try {
        this.#deps.onWritten(await this.#deps.client.patch(PODS, this.#ref, "strategic", patch, { subresource: "status" }));
        this.#last = status;
      } catch (error) {
        if (await this.#isGone(error)) {
          this.#gone = true;
          return;
        }
        this.#deps.logger.warn("a pod's status could not be written", { pod: `${this.#ref.namespace}/${this.#ref.name}`, error: String(error) });
        this.#wanted ??= status;
        await sleep(this.#deps.clock, pauseMs);
        pauseMs = Math.min(pauseMs * 2, RETRY_MAX_MS);
      }
    }
  }
}
