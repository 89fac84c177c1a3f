/**
 * Empties a namespace that is being deleted, its pods before everything else, and then lets it go.
 * Follows kubernetes pkg/controller/namespace/deletion/namespaced_resources_deleter.go; but where upstream comes back after a while to see
 * what is left, this looks again as soon as something in the namespace has gone.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { Namespace, Pod } from "../../api/generated/types.ts";
import type { KubeObject, Stored } from "../../api/object.ts";
import { NAMESPACES, PODS, qualifiedPlural, type Resource } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { parseTime } from "../../api/time.ts";
import { inParallel } from "../framework/parallel.ts";
import { decideConditions, type Deletion, type Remaining } from "./conditions.ts";

export interface NamespaceControllerOptions {
  /** All kinds of namespaced objects that can be listed and deleted. */
  readonly resources: readonly Resource[];
  /** How long after the DELETE the namespace is emptied (upstream: 5 s): requests that were on their way come through. */
  readonly delayMs?: number;
}

const FINALIZER = "kubernetes";
const DELAY_MS = 2000;
/** Upstream looks first when so much time has passed: pods with less to end have had their time then. */
const FIRST_LOOK_MS = 5000;
/** Something has gone: look again, but once for many. */
const LOOK_AGAIN_MS = 50;
/** Nothing has gone for so long: look again all the same. */
const RECHECK_MS = 10_000;
const KINDS_AT_ONCE = 8;

/** Makes the controller; it is to be run when the informers are synced. */
export function openNamespaceController(context: ControllerContext, options: NamespaceControllerOptions): readonly Controller[] {
  return [new NamespaceController(context, options).controller()];
}

class NamespaceController {
  readonly #context: ControllerContext;
  readonly #resources: readonly Resource<KubeObject>[];
  readonly #queue: WorkQueue;
  /** Namespaces whose emptying has begun. */
  readonly #emptying = new Set<string>();

  constructor(context: ControllerContext, { resources, delayMs = DELAY_MS }: NamespaceControllerOptions) {
    this.#context = context;
    this.#resources = (resources as readonly Resource<KubeObject>[]).filter((r) => r.namespaced);
    this.#queue = new WorkQueue({ clock: context.clock });
    context.informers.of(NAMESPACES).on({
      onSet: ({ metadata }) => metadata.deletionTimestamp !== undefined && !this.#emptying.has(metadata.name) && this.#queue.addAfter(metadata.name, delayMs),
      onDelete: ({ metadata }) => this.#emptying.delete(metadata.name),
    });
    for (const resource of this.#resources) context.informers.of(resource).on({ onDelete: ({ metadata }) => this.#somethingWent(metadata.namespace ?? "") });
  }

  controller(): Controller {
    return { name: "namespace", queue: this.#queue, workers: 10, reconcile: (name) => this.#reconcile(name), logger: this.#context.logger };
  }

  #somethingWent(namespace: string): void {
    if (this.#emptying.has(namespace)) this.#queue.addAfter(namespace, LOOK_AGAIN_MS);
  }

  async #reconcile(name: string): Promise<ReconcileResult> {
    const { client } = this.#context;
    try {
      const namespace = await client.get(NAMESPACES, { namespace: "", name });
      if (namespace.metadata.deletionTimestamp === undefined) return {};
      this.#emptying.add(name);
      if ((namespace.spec?.finalizers ?? []).includes(FINALIZER)) {
        const isEmpty = await this.#empty(namespace);
        if (!isEmpty) return { requeueAfterMs: RECHECK_MS };
        await this.#finalize(await client.get(NAMESPACES, { namespace: "", name }));
      }
      const { spec } = await client.get(NAMESPACES, { namespace: "", name });
      if (!spec?.finalizers?.length) await client.delete(NAMESPACES, { namespace: "", name }, { preconditions: { uid: namespace.metadata.uid } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return {};
  }

  async #finalize(namespace: Stored<Namespace>): Promise<void> {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((f) => f !== FINALIZER);
    await this.#context.client.update(NAMESPACES, { ...namespace, spec: { ...namespace.spec, finalizers } }, { subresource: "finalize" });
  }

  /** Deletes what is in it, and says in the conditions what is left; true when nothing is. */
  async #empty(namespace: Stored<Namespace>): Promise<boolean> {
    const pods = await this.#deleteAll([PODS], namespace);
    if (pods.errors.length > 0 || pods.remaining.length > 0) {
      // As upstream: while pods hold the rest, the conditions do not tell of them.
      await this.#report(namespace, { remaining: [], errors: pods.errors });
      return this.#rest(pods);
    }
    const rest = await this.#deleteAll(this.#resources.filter((r) => qualifiedPlural(r) !== PODS.plural), namespace);
    await this.#report(namespace, rest);
    return this.#rest(rest);
  }

  #rest({ remaining, errors }: Deletion): boolean {
    if (errors.length > 0) throw new Error(errors.join("; "));
    return remaining.length === 0;
  }

  async #deleteAll(resources: readonly Resource<KubeObject>[], namespace: Stored<Namespace>): Promise<Deletion> {
    const remaining: Remaining[] = [];
    const errors: string[] = [];
    await inParallel(resources, KINDS_AT_ONCE, async (resource) => {
      try {
        const left = await this.#deleteKind(resource, namespace);
        if (left.count > 0) remaining.push(left);
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error));
      }
    });
    return { remaining, errors };
  }

  async #deleteKind(resource: Resource<KubeObject>, { metadata: { name: namespace, deletionTimestamp } }: Stored<Namespace>): Promise<Remaining> {
    const { client, clock } = this.#context;
    await client.deleteCollection(resource, namespace, {}, { propagationPolicy: "Background" });
    const { items } = await client.list(resource, namespace);
    const finalizers = new Map<string, number>();
    for (const { metadata } of items) for (const f of metadata.finalizers ?? []) finalizers.set(f, (finalizers.get(f) ?? 0) + 1);
    const elapsedMs = Math.max(FIRST_LOOK_MS, clock.now() - (parseTime(deletionTimestamp) ?? 0));
    const hasTime = resource.kind === PODS.kind && items.some((pod) => graceMsOf(pod as Pod) > elapsedMs);
    if (items.length > 0 && finalizers.size === 0 && !hasTime) {
      throw new Error(`unexpected items still remain in namespace: ${namespace} for gvr: ${resource.group}/${resource.version}, Resource=${resource.plural}`);
    }
    return { resource, count: items.length, finalizers };
  }

  async #report(namespace: Stored<Namespace>, deletion: Deletion): Promise<void> {
    const conditions = decideConditions(namespace.status?.conditions ?? [], deletion, this.#context.clock.now());
    if (conditions) await this.#context.client.updateStatus(NAMESPACES, { ...namespace, status: { ...namespace.status, conditions } });
  }
}

/** How long the pod may take to end; one that has ended needs no time. Follows estimateGracefulTerminationForPods. */
function graceMsOf({ spec, status }: Pod): number {
  const hasEnded = status?.phase === "Succeeded" || status?.phase === "Failed";
  return hasEnded ? 0 : (spec?.terminationGracePeriodSeconds ?? 0) * 1000;
}
