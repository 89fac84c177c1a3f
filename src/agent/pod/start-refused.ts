/** Why a container could not be started now, as its waiting state will say it. */
export class StartRefused extends Error {
  override readonly name = "StartRefused";
  readonly reason: string;
  readonly retryAfterMs: number;

  constructor(reason: string, message: string, retryAfterMs: number) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** How soon what could not be configured is tried again, when nothing happens that gives reason to. */
export const RETRY_MS = 10_000;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
