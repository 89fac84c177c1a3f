/**
 * Who owns whom, by uid, over all kinds that the collector watches. A change answers with what should be looked at again; nothing here
 * asks the server or deletes anything.
 * Follows kubernetes pkg/controller/garbagecollector/graph_builder.go, without its virtual nodes: an owner that was not seen is looked up
 * for its dependent.
 */
import type { OwnerReference } from "../../api/generated/types.ts";
import type { KubeObject, Stored } from "../../api/object.ts";
import { apiVersionOf, type Resource } from "../../api/resource.ts";

export const FOREGROUND_FINALIZER = "foregroundDeletion";
export const ORPHAN_FINALIZER = "orphan";

/** What the collector remembers of an object. */
export interface Node {
  readonly uid: string;
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly owners: readonly OwnerReference[];
  readonly isBeingDeleted: boolean;
  /** Being deleted in the foreground: it waits for the dependents that block it. */
  readonly isDeletingDependents: boolean;
  /** Being deleted, and its dependents are to be let go first. */
  readonly isOrphaning: boolean;
}

/** A dependent whose owner was seen in another namespace. */
export interface InvalidOwner {
  readonly dependent: Node;
  readonly owner: OwnerReference;
}

export interface GraphChange {
  /** Uids to look at. */
  readonly suspects: readonly string[];
  readonly invalidOwners: readonly InvalidOwner[];
}

export function nodeOf(resource: Resource, { metadata }: Stored): Node {
  const isBeingDeleted = metadata.deletionTimestamp !== undefined;
  const finalizers = isBeingDeleted ? (metadata.finalizers ?? []) : [];
  return {
    uid: metadata.uid,
    resource,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    owners: metadata.ownerReferences ?? [],
    isBeingDeleted,
    isDeletingDependents: finalizers.includes(FOREGROUND_FINALIZER),
    isOrphaning: finalizers.includes(ORPHAN_FINALIZER),
  };
}

/** The owner is of another namespace than its dependent, which no reference can mean. Owners of the whole cluster fit everywhere. */
const isElsewhere = (owner: Node, dependent: Node) => owner.resource.namespaced && owner.namespace !== dependent.namespace;

const isNamedBy = (owner: Node, ref: OwnerReference) => owner.name === ref.name && owner.resource.kind === ref.kind && apiVersionOf(owner.resource) === ref.apiVersion;

export class OwnerGraph {
  readonly #nodes = new Map<string, Node>();
  /** By the owner's uid, whether the owner was seen or not. */
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): Node | undefined {
    return this.#nodes.get(uid);
  }

  dependentsOf(uid: string): readonly Node[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? []);
  }

  hasDependents(uid: string): boolean {
    return this.#dependents.has(uid);
  }

  /** Those that the object waits for while it is being deleted in the foreground. */
  blockingDependentsOf(uid: string): readonly Node[] {
    return this.dependentsOf(uid).filter((d) => d.owners.some((ref) => ref.uid === uid && ref.blockOwnerDeletion === true));
  }

  /** False when each of the node's owners was seen, is the one that is meant, and is not waiting for its dependents: then nothing is to do. */
  isSuspect(node: Node): boolean {
    return this.#lacksOwner(node) || node.owners.some((ref) => this.#nodes.get(ref.uid)?.isDeletingDependents);
  }

  #lacksOwner(node: Node): boolean {
    return node.owners.some((ref) => {
      const owner = this.#nodes.get(ref.uid);
      return !owner || isElsewhere(owner, node) || !isNamedBy(owner, ref);
    });
  }

  set(resource: Resource, object: Stored<KubeObject>): GraphChange {
    const node = nodeOf(resource, object);
    const old = this.#nodes.get(node.uid);
    this.#nodes.set(node.uid, node);
    this.#link(node, old);
    const suspects = new Set<string>();
    if (node.isOrphaning || node.isDeletingDependents) suspects.add(node.uid);
    if (node.isDeletingDependents && !old?.isDeletingDependents) for (const uid of this.#dependents.get(node.uid) ?? []) suspects.add(uid);
    // One that is new under an owner that is going already waits until that owner is looked at again, as upstream.
    if (node.owners !== old?.owners && node.owners.length > 0 && (old ? this.isSuspect(node) : this.#lacksOwner(node))) suspects.add(node.uid);
    // Owners that wait for this one: it may block them no longer, or begin to.
    const hasOthers = old !== undefined && JSON.stringify(old.owners) !== JSON.stringify(node.owners);
    if (hasOthers) for (const { uid } of [...old.owners, ...node.owners]) if (this.#nodes.get(uid)?.isDeletingDependents) suspects.add(uid);
    if (old) return { suspects: [...suspects], invalidOwners: this.#invalidOwnersOf(node, old) };
    const misled = this.dependentsOf(node.uid).filter((d) => isElsewhere(node, d) || !d.owners.some((ref) => ref.uid === node.uid && isNamedBy(node, ref)));
    for (const { uid } of misled) suspects.add(uid);
    const ofThis = misled.filter((d) => isElsewhere(node, d)).flatMap((dependent) => dependent.owners.filter((ref) => ref.uid === node.uid).map((owner) => ({ dependent, owner })));
    return { suspects: [...suspects], invalidOwners: [...this.#invalidOwnersOf(node, undefined), ...ofThis] };
  }

  delete(uid: string): GraphChange {
    const node = this.#nodes.get(uid);
    if (!node) return { suspects: [], invalidOwners: [] };
    this.#nodes.delete(uid);
    for (const ref of node.owners) this.#unlink(ref.uid, uid);
    const waiting = node.owners.map((ref) => ref.uid).filter((owner) => this.#nodes.get(owner)?.isDeletingDependents);
    return { suspects: [...waiting, ...(this.#dependents.get(uid) ?? [])], invalidOwners: [] };
  }

  #invalidOwnersOf(node: Node, old: Node | undefined): InvalidOwner[] {
    const known = new Set(old?.owners.map((ref) => ref.uid));
    return node.owners.flatMap((ref) => {
      const owner = this.#nodes.get(ref.uid);
      return owner && !known.has(ref.uid) && isElsewhere(owner, node) ? [{ dependent: node, owner: ref }] : [];
    });
  }

  #link(node: Node, old: Node | undefined): void {
    if (node.owners === old?.owners) return;
    for (const ref of old?.owners ?? []) this.#unlink(ref.uid, node.uid);
    for (const ref of node.owners) {
      const dependents = this.#dependents.get(ref.uid);
      if (dependents) dependents.add(node.uid);
      else this.#dependents.set(ref.uid, new Set([node.uid]));
    }
  }

  #unlink(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner);
    dependents?.delete(dependent);
    if (dependents?.size === 0) this.#dependents.delete(owner);
  }
}
