/**
 * Two bounded queues, one for requests that write and one for those that read: so many at work, so many waiting, 429 beyond that.
 * Watches and followed logs give their place back as soon as they are established.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/server/filters/maxinflight.go.
 */
import { StatusError } from "../api/status-error.ts";

export interface QueueOptions {
  readonly running: number;
  readonly waiting: number;
}

/** As kube-apiserver's max-requests-inflight and max-mutating-requests-inflight, with room to wait. */
export const READING: QueueOptions = { running: 400, waiting: 2000 };
export const MUTATING: QueueOptions = { running: 200, waiting: 2000 };

const RETRY_AFTER_SECONDS = 1;

const tooMany = (): StatusError =>
  new StatusError({ code: 429, reason: "TooManyRequests", message: "Too many requests, please try again later.", retryAfterSeconds: RETRY_AFTER_SECONDS });

export class RequestQueue {
  readonly #options: QueueOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work` when there is a place for it; rejects with 429 when there is none even to wait. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#options.running) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= this.#options.waiting) throw tooMany();
    // Whoever leaves hands its place over: `#running` stays as it is.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running--;
  }
}
