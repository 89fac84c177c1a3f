/**
 * The annotation that tells when the change began that a write of a slice or of Endpoints passes on, for those who measure how long it took.
 * Follows kubernetes staging/src/k8s.io/endpointslice/util/trigger_time_tracker.go.
 */
import type { Pod, Service } from "../../api/generated/types.ts";
import { keyOf, type Stored } from "../../api/object.ts";

export const LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time";

/** Knows of every Service when its pods last became ready or unready; forgets a Service with `forget`. */
export class TriggerTimes {
  readonly #known = new Map<string, ReadonlyMap<string, string>>();

  /** The earliest change since the last call; a Service that is new began with itself. undefined: nothing changed that has a time. */
  since(service: Stored<Service>, pods: readonly Stored<Pod>[]): string | undefined {
    const key = keyOf(service);
    const known = this.#known.get(key);
    const times = new Map(pods.flatMap((pod) => {
      const at = pod.status?.conditions?.find((c) => c.type === "Ready")?.lastTransitionTime;
      return at ? [[pod.metadata.name, at] as const] : [];
    }));
    this.#known.set(key, times);
    if (!known) return service.metadata.creationTimestamp;
    const changed = [...times].filter(([name, at]) => at > (known.get(name) ?? "")).map(([, at]) => at);
    return changed.length > 0 ? changed.reduce((a, b) => (b < a ? b : a)) : undefined;
  }

  forget(key: string): void {
    this.#known.delete(key);
  }
}

/** The annotations with the time, or without one where there is none. */
export function withTrigger(annotations: Readonly<Record<string, string>> | undefined, at: string | undefined): Readonly<Record<string, string>> {
  const { [LAST_CHANGE]: _, ...rest } = annotations ?? {};
  return at === undefined ? rest : { ...rest, [LAST_CHANGE]: at };
}
