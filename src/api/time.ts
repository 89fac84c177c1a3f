/**
 * Times as the API writes them: RFC 3339 in UTC, whole seconds (Time) or microseconds (MicroTime).
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/time.go and micro_time.go.
 */
import type { Instant } from "../base/clock.ts";

let lastSecond = Number.NaN;
let lastText = "";

/** `2024-01-01T00:00:00Z`. The last second that was asked for is remembered: a busy second is asked for thousands of times. */
export function formatTime(at: Instant): string {
  const second = Math.floor(at / 1000);
  if (second !== lastSecond) [lastSecond, lastText] = [second, `${new Date(at).toISOString().slice(0, 19)}Z`];
  return lastText;
}

/** `2024-01-01T00:00:00.000000Z`. */
export const formatMicroTime = (at: Instant): string => `${new Date(at).toISOString().slice(0, 23)}000Z`;

/** The instant of an RFC 3339 text; undefined when there is none or it is not one. */
export function parseTime(text: string | null | undefined): Instant | undefined {
  if (!text) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
