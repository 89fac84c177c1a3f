/**
 * What a kind is made of. One value of this shape per kind, in `table.ts`; nothing in `registry/` or `server/` names a kind.
 * All functions are pure, apart from writing into the draft they are given. A draft belongs to the request that made it: it is frozen when stored.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/registry/rest (RESTCreateStrategy, RESTUpdateStrategy, …): same steps, same order.
 */
import type { Instant } from "../../base/clock.ts";
import type { FieldError } from "../field-error.ts";
import type { DeleteOptions, ObjectMeta } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import type { Resource } from "../resource.ts";

/** The same type, writable all the way down. */
export type Draft<T> = T extends (infer U)[] | readonly (infer U)[] ? Draft<U>[] : T extends object ? { -readonly [K in keyof T]: Draft<T[K]> } : T;

/** A draft of which only the metadata is known. */
export type DraftObject = Draft<KubeObject>;

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** The description is that of an API field, `io.k8s.api.batch.v1.JobSpec.selector`; `description` is "" then. */
  readonly describedBy?: string;
  readonly priority: number;
}

export type Cell = string | number | boolean | null;

export interface Printer<T> {
  /** Annotations that stand for fields of the internal type: the metadata of a row has none of them. */
  readonly hiddenAnnotations?: readonly string[];
  readonly columns: readonly Column[];
  /** One cell a column. */
  readonly cells: (object: T, now: Instant) => readonly Cell[];
  /** Conditions of the row (finished pods say Completed). */
  readonly conditions?: (object: T) => readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[] | undefined;
}

/** A write through `/status` or another subresource that updates the object itself. */
export interface UpdateStrategy<T> {
  /** Puts back what this road may not change (spec for /status, status for the main road), counts the generation, and so on. */
  readonly prepare: (draft: Draft<T>, old: T) => void;
  readonly validate: (object: T, old: T) => readonly FieldError[];
  readonly warnings?: (object: T, old: T) => readonly string[];
}

export interface CreateStrategy<T> {
  /** Clears status, sets generation 1 where the kind has one, generates selectors … The name and uid are set already. Returns warnings about what it changed. */
  readonly prepare: (draft: Draft<T>) => readonly string[];
  /** Everything but the metadata that all kinds share (which is validated before it). */
  readonly validate: (object: T) => readonly FieldError[];
  /** `validate` looks at the metadata too, as far as the kind does; the generic rules come after it, where it has found nothing. */
  readonly ownMeta?: boolean;
  readonly warnings?: (object: T) => readonly string[];
}

export interface GracefulDelete<T> {
  /** How long the object stays after a DELETE; 0 removes it at once. Follows rest.RESTGracefulDeleteStrategy (CheckGracefulDelete). */
  readonly gracePeriodSeconds: (object: T, options: DeleteOptions) => number;
}

/** A deletion that is more than a timestamp and metadata.finalizers. There is no grace period then. */
export interface Lifecycle<T> {
  /** Something besides metadata.finalizers keeps the object. */
  readonly holds: (object: T) => boolean;
  /** What a deletion writes besides the timestamp. */
  readonly markDeleting: (draft: Draft<T>) => void;
}

/**
 * Objects of this kind are stored as another kind's (events.k8s.io Events as core Events), and errors speak of that one.
 * Defaults, strategies and printer of the kind itself still apply to its own form.
 */
export interface StoredAs<T> {
  readonly resource: Resource;
  readonly toStored: (object: T) => KubeObject;
  readonly fromStored: (stored: KubeObject) => T;
}

/** What becomes of dependents when a DELETE says nothing; "Unsupported": the garbage collector has no say in this kind, whatever it says. */
export type Propagation = "Background" | "Orphan" | "Unsupported";

/** A subresource that is the object seen as one of another kind: what is written to it is written to the object. */
export interface View<T> {
  /** What it is seen as; nothing of that kind is stored. */
  readonly kind: Kind;
  readonly of: (object: T) => KubeObject;
  readonly writeInto: (draft: Draft<T>, view: KubeObject) => void;
  /** The one field that can be written; it has the same place in both. */
  readonly field: readonly string[];
}


export interface Kind<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>;
  /** The schema's name in `data/openapi-fields.json`. */
  readonly schema: string;
  /** Fills in defaults, as upstream does on every decode (from a request and from the store). Idempotent. */
  readonly applyDefaults: (draft: Draft<T>) => void;
  /** Why `name` can't be one; [] when it can. `prefix`: it is a generateName. */
  readonly validateName: (name: string, prefix: boolean) => readonly string[];
  readonly create: CreateStrategy<T>;
  readonly update: UpdateStrategy<T>;
  /** Subresources that are written like the object itself: status, finalize, resize, ephemeralcontainers. */
  readonly subresources: Readonly<Record<string, UpdateStrategy<T>>>;
  readonly views: Readonly<Record<string, View<T>>>;
  /** PUT may create (Lease, and others: AllowCreateOnUpdate). */
  readonly allowCreateOnUpdate: boolean;
  /** PUT without resourceVersion is taken (AllowUnconditionalUpdate). */
  readonly allowUnconditionalUpdate: boolean;
  /** What a DELETE without a propagation policy does. */
  readonly defaultPropagation: Propagation;
  /** Deletes answer with the object instead of a Status (pods, services, namespaces …). */
  readonly deleteReturnsObject: boolean;
  readonly gracefulDelete?: GracefulDelete<T>;
  readonly lifecycle?: Lifecycle<T>;
  /**
   * On an update its draft has the live object's spec and status, frozen, as far as they are the same: nothing writes into them.
   * For kinds that are written many times oftener than their spec changes.
   */
  readonly sharesSpec?: boolean;
  /** Why an object of this name may not be deleted by itself; undefined: it may. */
  readonly keeps?: (name: string) => string | undefined;
  /** Warnings of a delete (Jobs orphan their pods by default). */
  readonly deleteWarnings?: (options: DeleteOptions) => readonly string[];
  /** Field labels that selectors may use besides metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: T) => string>>;
  readonly printer: Printer<T>;
  /** What everybody is told who uses it. */
  readonly deprecation?: string;
  /** Its objects are kept as those of another kind of the table (events.k8s.io events are core events): how to turn one into the other. Both are pure. */
  readonly storedAs?: StoredAs<T>;
}

export interface StoredAs<T> {
  readonly resource: Resource;
  readonly toStored: (object: T) => KubeObject;
  readonly fromStored: (object: KubeObject) => T;
}

export type { ObjectMeta };
