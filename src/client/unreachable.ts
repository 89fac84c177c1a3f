/** The server could not be asked at all: nothing is known about what became of the request. */
import { StatusError } from "../api/status-error.ts";

const REASON = "ServiceUnavailable";

export function unreachable(server: string, why: string): StatusError {
  return new StatusError({ code: 503, reason: REASON, message: `cannot reach ${server}: ${why}` });
}

export const isUnreachable = (error: unknown): boolean => error instanceof StatusError && error.reason === REASON;
