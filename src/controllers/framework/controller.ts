/**
 * The driver that all controllers share: workers take keys from a queue and reconcile them, one worker a key; an error is logged and the
 * key is tried again with back-off. What a controller does with a key is its own; so is putting keys into the queue.
 */
import type { Chance, Ids } from "../../base/chance.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { WorkQueue } from "../../base/work-queue.ts";
import { isConflict } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/event-recorder.ts";
import type { Informers } from "../../client/informers.ts";

/** What a controller is given. The recorder speaks for this controller alone. */
export interface ControllerContext {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly recorder: EventRecorder;
}

export interface ReconcileResult {
  /** Look at the key again after this, whatever happens meanwhile. */
  readonly requeueAfterMs?: number;
}

export interface Controller {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly workers: number;
  /** Brings the thing behind `key` nearer to what it should be. Throws to be called again after the key's back-off. */
  readonly reconcile: (key: string) => Promise<ReconcileResult | void>;
  readonly logger: Logger;
}

/** Works until `signal` aborts and the keys in work are finished. Never rejects. */
export async function runController(controller: Controller, signal: AbortSignal): Promise<void> {
  const stop = () => controller.queue.stop();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  await Promise.all(Array.from({ length: controller.workers }, () => work(controller)));
}

async function work(controller: Controller): Promise<void> {
  const { queue } = controller;
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    await reconcileOnce(controller, key);
    queue.done(key);
  }
}

async function reconcileOnce({ name, queue, reconcile, logger }: Controller, key: string): Promise<void> {
  try {
    const result = await reconcile(key);
    queue.forget(key);
    if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs);
  } catch (error) {
    const retryAfterMs = queue.addRateLimited(key);
    // A lost compare-and-set is the ordinary course of things: somebody else was faster, and the key is read again.
    if (isConflict(error)) logger.debug("write was overtaken, trying again", { controller: name, key });
    else logger.warn("reconciling failed, trying again", { controller: name, key, retryAfterMs, error });
  }
}
