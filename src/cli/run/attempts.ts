/**
 * Every attempt of every container that a run has seen, from the pods' statuses: pods may be gone when the run ends, their attempts are not.
 */
import type { ContainerStatus, Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";

export interface Attempt {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** The container's id: one an attempt. */
  readonly id: string;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  /** Undefined while it runs. */
  readonly exitCode: number | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
}

type State = NonNullable<ContainerStatus["state"]>;

function attemptOf(pod: Stored<Pod>, status: ContainerStatus, state: State | undefined, idWhileRunning: string | undefined): Attempt | undefined {
  const ended = state?.terminated;
  const id = ended?.containerID ?? idWhileRunning;
  if (id === undefined || id === "" || !(ended || state?.running)) return undefined;
  return {
    namespace: pod.metadata.namespace ?? "",
    pod: pod.metadata.name,
    container: status.name,
    id,
    startedAt: ended?.startedAt ?? state?.running?.startedAt,
    finishedAt: ended?.finishedAt,
    exitCode: ended?.exitCode,
    reason: ended?.reason,
    message: ended?.message,
  };
}

export class Attempts {
  readonly #byId = new Map<string, Attempt>();

  /** Takes in what a pod's status says; returns the attempts that were not known before, in the order in which they began. */
  see(pod: Stored<Pod>): readonly Attempt[] {
    const fresh: Attempt[] = [];
    for (const status of [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]) {
      for (const attempt of [attemptOf(pod, status, status.lastState, undefined), attemptOf(pod, status, status.state, status.containerID)]) {
        if (!attempt) continue;
        if (!this.#byId.has(attempt.id)) fresh.push(attempt);
        this.#byId.set(attempt.id, attempt);
      }
    }
    return fresh;
  }

  all(): readonly Attempt[] {
    return [...this.#byId.values()];
  }

  /** Attempts that ended with something else than 0. */
  failed(): readonly Attempt[] {
    return this.all().filter((a) => a.exitCode !== undefined && a.exitCode !== 0);
  }
}
