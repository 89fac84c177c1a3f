/**
 * The pods of each Job, as far as they still matter, kept up by the informer's events: a sync never reads a pod that is counted and let go.
 * Nothing here is truth: it is rebuilt from the informer's first list after a restart. Bounded by the pods in the informer's cache.
 */
import { controllerOf } from "../../api/object.ts";
import type { Selector } from "../../api/selectors.ts";
import { CONTROLLER_UID_LABEL, type StoredPod } from "./names.ts";
import { isTerminal, isTracked } from "./pods.ts";

interface JobPods {
  /** Active, terminating, or with the finalizer. */
  readonly open: Map<string, StoredPod>;
  /** Finished and let go, changed since the Job was last synced. */
  readonly settled: Map<string, StoredPod>;
}

const NONE: ReadonlyMap<string, StoredPod> = new Map();

const orphanKey = (namespace: string | undefined, label: string | undefined): string => `${namespace ?? ""}/${label ?? ""}`;

/** The label value that every pod of a Job has when its selector was generated; undefined for selectors made by hand. */
function generatedLabel(selector: Selector): string | undefined {
  const requirement = selector.find((r) => r.key === CONTROLLER_UID_LABEL && (r.operator === "=" || r.operator === "in") && r.values.length === 1);
  return requirement?.values[0];
}

export class PodLedger {
  /** By the uid of the controlling owner. */
  readonly #byOwner = new Map<string, JobPods>();
  /** Pods without a controller, by namespace and controller-uid label; and by namespace alone. */
  readonly #orphans = new Map<string, Map<string, StoredPod>>();
  readonly #orphansByLabel = new Map<string, Map<string, StoredPod>>();

  /** Takes in a pod's new state. */
  set(pod: StoredPod, old: StoredPod | undefined): void {
    if (old) this.#forget(old, controllerOf(old)?.uid !== controllerOf(pod)?.uid || old.metadata.uid !== pod.metadata.uid);
    const { uid, namespace, labels } = pod.metadata;
    const owner = controllerOf(pod);
    if (!owner) {
      add(this.#orphans, orphanKey(namespace, undefined), pod);
      add(this.#orphansByLabel, orphanKey(namespace, labels?.[CONTROLLER_UID_LABEL]), pod);
      return;
    }
    let pods = this.#byOwner.get(owner.uid);
    if (!pods) this.#byOwner.set(owner.uid, (pods = { open: new Map(), settled: new Map() }));
    const settled = isTerminal(pod) && !isTracked(pod);
    (settled ? pods.settled : pods.open).set(uid, pod);
    (settled ? pods.open : pods.settled).delete(uid);
  }

  delete(pod: StoredPod): void {
    this.#forget(pod, true);
  }

  /** Pods that the Job controls and that still matter. */
  open(jobUid: string): ReadonlyMap<string, StoredPod> {
    return this.#byOwner.get(jobUid)?.open ?? NONE;
  }

  settled(jobUid: string): ReadonlyMap<string, StoredPod> {
    return this.#byOwner.get(jobUid)?.settled ?? NONE;
  }

  /** These were looked at: they come back only when they change. */
  dismiss(jobUid: string, pods: readonly StoredPod[]): void {
    const { settled } = this.#byOwner.get(jobUid) ?? {};
    for (const pod of pods) if (settled?.get(pod.metadata.uid) === pod) settled.delete(pod.metadata.uid);
    this.#drop(jobUid);
  }

  /** Pods without a controller that a selector may match (it has to be asked still). */
  orphans(namespace: string | undefined, selector: Selector): Iterable<StoredPod> {
    const label = generatedLabel(selector);
    const found = label === undefined ? this.#orphans.get(orphanKey(namespace, undefined)) : this.#orphansByLabel.get(orphanKey(namespace, label));
    return found?.values() ?? [];
  }

  #forget(pod: StoredPod, moved: boolean): void {
    const { uid, namespace, labels } = pod.metadata;
    const owner = controllerOf(pod);
    if (!owner) {
      remove(this.#orphans, orphanKey(namespace, undefined), uid);
      remove(this.#orphansByLabel, orphanKey(namespace, labels?.[CONTROLLER_UID_LABEL]), uid);
    } else if (moved) {
      const pods = this.#byOwner.get(owner.uid);
      pods?.open.delete(uid);
      pods?.settled.delete(uid);
      this.#drop(owner.uid);
    }
  }

  #drop(owner: string): void {
    const pods = this.#byOwner.get(owner);
    if (pods && pods.open.size === 0 && pods.settled.size === 0) this.#byOwner.delete(owner);
  }
}

function add(index: Map<string, Map<string, StoredPod>>, key: string, pod: StoredPod): void {
  const pods = index.get(key);
  if (pods) pods.set(pod.metadata.uid, pod);
  else index.set(key, new Map([[pod.metadata.uid, pod]]));
}

function remove(index: Map<string, Map<string, StoredPod>>, key: string, uid: string): void {
  const pods = index.get(key);
  pods?.delete(uid);
  if (pods?.size === 0) index.delete(key);
}
