/**
 * The garbage collector: deletes what lost its last owner, lets the dependents of an orphaning owner go, and releases an owner that is being
 * deleted in the foreground when nothing blocks it any more. The graph only says where to look: before anything is deleted the server is
 * asked, and the object's version is the precondition.
 * Follows kubernetes pkg/controller/garbagecollector/garbagecollector.go.
 */
import { unreachable } from "../../base/assert.ts";
import { WorkQueue } from "../../base/work-queue.ts";
import type { OwnerReference } from "../../api/generated/types.ts";
import type { KubeObject, Stored } from "../../api/object.ts";
import { apiVersionOf, EVENTS, type Resource } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { ObjectRef } from "../../client/client.ts";
import type { Controller, ControllerContext } from "../framework/controller.ts";
import { inParallel } from "../framework/parallel.ts";
import { decideGarbage, type GarbageAction, type OwnerState } from "./decide.ts";
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER, OwnerGraph, type GraphChange, type InvalidOwner, type Node } from "./graph.ts";

/** Upstream's --concurrent-gc-syncs. */
const WORKERS = 20;
const ORPHANS_AT_ONCE = 64;

export interface GarbageCollectorOptions {
  /** All kinds that can be listed, watched and deleted. Events are left out: they own nothing and are owned by nothing. */
  readonly resources: readonly Resource[];
}

/** Makes the collector; it is to be run when the informers are synced. */
export function openGarbageCollector(context: ControllerContext, { resources }: GarbageCollectorOptions): readonly Controller[] {
  return [new GarbageCollector(context, resources).controller()];
}

const refOf = ({ namespace, name }: Node): ObjectRef => ({ namespace, name });

class GarbageCollector {
  readonly #context: ControllerContext;
  readonly #graph = new OwnerGraph();
  readonly #queue: WorkQueue;
  readonly #resources = new Map<string, Resource<KubeObject>>();

  constructor(context: ControllerContext, resources: readonly Resource[]) {
    this.#context = context;
    this.#queue = new WorkQueue({ clock: context.clock });
    for (const resource of resources as readonly Resource<KubeObject>[]) {
      this.#resources.set(`${apiVersionOf(resource)}/${resource.kind}`, resource);
      if (resource.kind === EVENTS.kind) continue;
      context.informers.of(resource).on({
        onSet: (object) => this.#follow(this.#graph.set(resource, object)),
        onDelete: (object) => this.#follow(this.#graph.delete(object.metadata.uid)),
      });
    }
  }

  controller(): Controller {
    return { name: "garbage-collector", queue: this.#queue, workers: WORKERS, reconcile: (uid) => this.#reconcile(uid), logger: this.#context.logger };
  }

  #follow({ suspects, invalidOwners }: GraphChange): void {
    for (const uid of suspects) this.#queue.add(uid);
    for (const invalid of invalidOwners) this.#warn(invalid);
  }

  #warn({ dependent, owner }: InvalidOwner): void {
    const { namespace, name, uid, resource } = dependent;
    const spelled = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
    this.#context.recorder.event(resource, { metadata: { namespace, name, uid } }, "Warning", "OwnerRefInvalidNamespace", `ownerRef ${spelled} does not exist in namespace ${JSON.stringify(namespace)}`);
  }

  async #reconcile(uid: string): Promise<void> {
    const node = this.#graph.get(uid);
    if (!node) return;
    if (node.isOrphaning) return this.#orphan(node);
    if (node.isDeletingDependents) return this.#awaitDependents(node);
    if (node.isBeingDeleted || !this.#graph.isSuspect(node)) return;
    const object = await this.#read(node.resource as Resource<KubeObject>, node.namespace, node.name);
    if (object?.metadata.uid !== uid) return;
    const owners = [];
    for (const reference of object.metadata.ownerReferences ?? []) owners.push({ reference, state: await this.#judge(reference, node) });
    const dependents = this.#graph.dependentsOf(uid);
    const action = decideGarbage({ object, owners, hasDependents: dependents.length > 0, dependentIsDeletingDependents: dependents.some((d) => d.isDeletingDependents) });
    await this.#execute(action, node, object);
  }

  async #judge(reference: OwnerReference, dependent: Node): Promise<OwnerState> {
    const resource = this.#resources.get(`${reference.apiVersion}/${reference.kind}`);
    // An object of the whole cluster cannot be owned by one of a namespace; upstream leaves it alone too.
    if (!resource || (resource.namespaced && dependent.namespace === "")) return "unknown";
    const owner = await this.#read(resource, resource.namespaced ? dependent.namespace : "", reference.name);
    if (owner?.metadata.uid !== reference.uid) return "dangling";
    const { deletionTimestamp, finalizers = [] } = owner.metadata;
    return deletionTimestamp !== undefined && finalizers.includes(FOREGROUND_FINALIZER) ? "waiting" : "solid";
  }

  async #execute(action: GarbageAction, node: Node, object: Stored<KubeObject>): Promise<void> {
    switch (action.kind) {
      case "keep":
        return;
      case "removeReferences":
        return this.#removeReferences(node, action.uids);
      case "delete": {
        const { uid, resourceVersion, ownerReferences = [] } = object.metadata;
        if (action.unblock) {
          const unblocked = ownerReferences.map((ref) => ({ ...ref, blockOwnerDeletion: false }));
          await this.#context.client.patch(node.resource, refOf(node), "strategic", { metadata: { uid, ownerReferences: unblocked } });
        }
        const preconditions = action.unblock ? { uid } : { uid, resourceVersion };
        await ignoreNotFound(this.#context.client.delete(node.resource, refOf(node), { preconditions, propagationPolicy: action.propagationPolicy }));
        return;
      }
      default:
        unreachable(action);
    }
  }

  async #removeReferences(node: Node, uids: readonly string[]): Promise<void> {
    const patch = { metadata: { uid: node.uid, ownerReferences: uids.map((uid) => ({ $patch: "delete", uid })) } };
    await ignoreNotFound(this.#context.client.patch(node.resource, refOf(node), "strategic", patch));
  }

  async #orphan(owner: Node): Promise<void> {
    await inParallel(this.#graph.dependentsOf(owner.uid), ORPHANS_AT_ONCE, (dependent) => this.#removeReferences(dependent, [owner.uid]));
    await this.#removeFinalizer(owner, ORPHAN_FINALIZER);
  }

  async #awaitDependents(owner: Node): Promise<void> {
    const blocking = this.#graph.blockingDependentsOf(owner.uid);
    if (blocking.length === 0) return this.#removeFinalizer(owner, FOREGROUND_FINALIZER);
    for (const dependent of blocking) if (!dependent.isDeletingDependents && !dependent.isBeingDeleted) this.#queue.add(dependent.uid);
  }

  async #removeFinalizer(node: Node, finalizer: string): Promise<void> {
    const object = await this.#read(node.resource as Resource<KubeObject>, node.namespace, node.name);
    if (object?.metadata.uid !== node.uid) return;
    const { resourceVersion, finalizers = [] } = object.metadata;
    if (!finalizers.includes(finalizer)) return;
    const patch = { metadata: { resourceVersion, finalizers: finalizers.filter((f) => f !== finalizer) } };
    await ignoreNotFound(this.#context.client.patch(node.resource, refOf(node), "merge", patch));
  }

  async #read(resource: Resource<KubeObject>, namespace: string, name: string): Promise<Stored<KubeObject> | undefined> {
    try {
      return await this.#context.client.get(resource, { namespace, name });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

async function ignoreNotFound(answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
