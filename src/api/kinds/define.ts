/**
 * Makes a `Kind` of what is particular about it: a kind without rules of its own costs its resource and its columns.
 * Knows the steps that upstream's strategies have in common (status kept apart from spec, counted generations, metadata checked again); names no kind.
 * Follows kubernetes pkg/registry/…/strategy.go.
 */
import type { Instant } from "../../base/clock.ts";
import type { FieldError } from "../field-error.ts";
import type { DeleteOptions } from "../generated/types.ts";
import { type NameCheck, subdomainName } from "../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../object-meta.ts";
import type { KubeObject } from "../object.ts";
import type { Resource } from "../resource.ts";
import { type Errors, semanticallyEqual } from "../validation/fields.ts";
import { columnsOf } from "./columns.ts";
import type { Cell, Column, CreateStrategy, Draft, GracefulDelete, Kind, Lifecycle, Printer, Propagation, StoredAs, UpdateStrategy, View } from "./kind.ts";
import { ageCell } from "./printing.ts";

/** What a change must touch to count as a new generation. Kinds without this keep whatever generation the client sends on create. */
export type Generation = "spec" | "spec and annotations" | "template" | "webhooks" | "everything and labels";

export interface StatusRules<T> {
  /** "none": upstream does not look at the metadata again. "kept": nor is anything of it changed that users set. */
  readonly meta?: "none" | "kept" | "kept and checked";
  readonly prepare?: (draft: Draft<T>, old: T) => void;
  readonly validate?: (out: Errors, object: T, old: T) => void;
  readonly warnings?: (object: T, old: T) => readonly string[];
}

export interface KindRules<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly schema: string;
  readonly printer?: Omit<Printer<T>, "columns">;
  readonly applyDefaults?: (draft: Draft<T>) => void;
  readonly validateName?: NameCheck;
  readonly generation?: Generation;
  /** There is a `/status`: create clears the status, the main road keeps the stored one. */
  readonly status?: StatusRules<T>;
  /** What a create says of the status stands. */
  readonly keepsStatusOnCreate?: boolean;
  readonly prepareCreate?: (draft: Draft<T>) => void;
  /** What `prepareCreate` changes with a warning. */
  readonly adaptCreate?: (draft: Draft<T>) => readonly string[];
  readonly validate?: (out: Errors, object: T) => void;
  /** `validate` sees to the metadata, in an order of its own. */
  readonly ownMetaOnCreate?: boolean;
  readonly createWarnings?: (object: T) => readonly string[];
  readonly prepareUpdate?: (draft: Draft<T>, old: T) => void;
  /** Upstream's update validation without its metadata part; left out, an update is validated like a create. */
  readonly validateUpdate?: (out: Errors, object: T, old: T) => void;
  /**
   * How upstream's update validation looks at the metadata again: in its update form only, in its create form only (once or twice), not at all, or (the
   * default) in both. "own": `validateUpdate` does that too, in an order of its own.
   */
  readonly metaOnUpdate?: "update" | "create" | "create twice" | "none" | "whole" | "own";
  /** Upstream looks at the metadata without the rules of built-in kinds: finalizers need no domain. */
  readonly plainMeta?: true;
  readonly updateWarnings?: (object: T, old: T) => readonly string[];
  readonly subresources?: Readonly<Record<string, UpdateStrategy<T>>>;
  /** The object as a Scale. */
  readonly scale?: View<T>;
  readonly allowCreateOnUpdate?: boolean;
  readonly allowUnconditionalUpdate?: boolean;
  readonly defaultPropagation?: Propagation;
  readonly deleteReturnsObject?: boolean;
  readonly gracefulDelete?: GracefulDelete<T>;
  readonly lifecycle?: Lifecycle<T>;
  readonly sharesSpec?: boolean;
  readonly keeps?: (name: string) => string | undefined;
  readonly deleteWarnings?: (options: DeleteOptions) => readonly string[];
  readonly selectableFields?: Readonly<Record<string, (object: T) => string>>;
  readonly storedAs?: StoredAs<T>;
  readonly deprecation?: string;
}

/** The draft's field becomes the old object's. */
export function keepField(draft: object, old: object, key: string): void {
  const value: unknown = Reflect.get(old, key);
  if (value === undefined) Reflect.deleteProperty(draft, key);
  else Reflect.set(draft, key, value);
}

const collect = (check: (out: Errors) => void): readonly FieldError[] => {
  const out: Errors = [];
  check(out);
  return out;
};

const metaOf = (o: object): object => {
  const { metadata }: { metadata?: object } = { ...o };
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...rest }: Record<string, unknown> = { ...metadata };
  return rest;
};

/** What the generation counts. */
function counted(o: object, generation: Generation): unknown {
  if (generation === "spec") return Reflect.get(o, "spec");
  if (generation === "spec and annotations") return [Reflect.get(o, "spec"), Reflect.get({ annotations: undefined, ...metaOf(o) }, "annotations") ?? {}];
  if (generation === "template" || generation === "webhooks") return Reflect.get(o, generation);
  return { ...o, metadata: Reflect.get({ labels: undefined, ...metaOf(o) }, "labels") ?? {} };
}

function countGeneration(draft: { metadata: { generation?: number } }, old: KubeObject, generation: Generation): void {
  const changed = !semanticallyEqual(counted(draft, generation), counted(old, generation));
  draft.metadata.generation = (old.metadata.generation ?? 0) + (changed ? 1 : 0);
}

function createStrategy<T extends KubeObject>(rules: KindRules<T>): CreateStrategy<T> {
  const { createWarnings, ownMetaOnCreate } = rules;
  return {
    ...(ownMetaOnCreate && { ownMeta: true }),
    prepare(draft) {
      if (rules.status && !rules.keepsStatusOnCreate) Reflect.deleteProperty(draft, "status");
      if (rules.generation) Reflect.set(Reflect.get(draft, "metadata") ?? {}, "generation", 1);
      rules.prepareCreate?.(draft);
      return rules.adaptCreate?.(draft) ?? [];
    },
    validate: (object) => collect((out) => rules.validate?.(out, object)),
    ...(createWarnings && { warnings: createWarnings }),
  };
}

/** How often the metadata is validated as of something new. */
const CREATE_FORMS = { update: 0, none: 0, own: 0, create: 1, whole: 1, "create twice": 2 } as const;

function updateStrategy<T extends KubeObject>(rules: KindRules<T>): UpdateStrategy<T> {
  const { updateWarnings, validateName = subdomainName, metaOnUpdate = "whole" } = rules;
  const builtIn = rules.plainMeta !== true;
  const meta = { namespaced: rules.resource.namespaced, validateName, builtIn };
  return {
    prepare(draft, old) {
      if (rules.status) keepField(draft, old, "status");
      rules.prepareUpdate?.(draft, old);
      if (rules.generation) countGeneration(draft, old, rules.generation);
    },
    validate: (object, old) =>
      collect((out) => {
        if (metaOnUpdate === "update" || metaOnUpdate === "whole") out.push(...validateObjectMetaUpdate(object.metadata, old.metadata, builtIn));
        for (let n = CREATE_FORMS[metaOnUpdate]; n > 0; n--) out.push(...validateObjectMeta(object.metadata, meta));
        if (rules.validateUpdate) rules.validateUpdate(out, object, old);
        else rules.validate?.(out, object);
      }),
    ...(updateWarnings && { warnings: updateWarnings }),
  };
}

/** Follows metav1.ResetObjectMetaForStatus. */
const KEPT_META = ["deletionTimestamp", "generation", "selfLink", "labels", "annotations", "finalizers", "ownerReferences"];

/** The metadata that a subresource leaves alone; whose the fields are it may change. */
export function keepMetaOfStatus(draft: { readonly metadata: object }, old: KubeObject): void {
  for (const field of KEPT_META) keepField(draft.metadata, old.metadata, field);
}

function statusStrategy<T extends KubeObject>(status: StatusRules<T>, builtIn: boolean): UpdateStrategy<T> {
  const { warnings, meta } = status;
  const isChecked = meta === undefined || meta === "kept and checked";
  const kept = meta === "kept" || meta === "kept and checked" ? KEPT_META : ["generation"];
  return {
    prepare(draft, old) {
      keepField(draft, old, "spec");
      const metadata: object = Reflect.get(draft, "metadata") ?? {};
      for (const field of kept) keepField(metadata, old.metadata, field);
      status.prepare?.(draft, old);
    },
    validate: (object, old) =>
      collect((out) => {
        if (isChecked) out.push(...validateObjectMetaUpdate(object.metadata, old.metadata, builtIn));
        status.validate?.(out, object, old);
      }),
    ...(warnings && { warnings }),
  };
}

export function defineKind<T extends KubeObject>(rules: KindRules<T>): Kind<T> {
  const { resource, gracefulDelete, lifecycle, sharesSpec, keeps, deleteWarnings, storedAs, deprecation } = rules;
  return {
    resource,
    schema: rules.schema,
    applyDefaults: rules.applyDefaults ?? (() => undefined),
    validateName: rules.validateName ?? subdomainName,
    create: createStrategy(rules),
    update: updateStrategy(rules),
    subresources: { ...(rules.status && { status: statusStrategy(rules.status, rules.plainMeta !== true) }), ...rules.subresources },
    views: rules.scale ? { scale: rules.scale } : {},
    allowCreateOnUpdate: rules.allowCreateOnUpdate ?? false,
    allowUnconditionalUpdate: rules.allowUnconditionalUpdate ?? true,
    defaultPropagation: rules.defaultPropagation ?? "Background",
    deleteReturnsObject: rules.deleteReturnsObject ?? false,
    ...(gracefulDelete && { gracefulDelete }),
    ...(lifecycle && { lifecycle }),
    ...(sharesSpec !== undefined && { sharesSpec }),
    ...(keeps && { keeps }),
    ...(deleteWarnings && { deleteWarnings }),
    ...(storedAs && { storedAs }),
    ...(deprecation !== undefined && { deprecation }),
    selectableFields: rules.selectableFields ?? {},
    printer: printerOf(rules),
  };
}

function printerOf<T extends KubeObject>(rules: KindRules<T>): Printer<T> {
  const columns = columnsOf(rules.resource);
  return { columns, cells: (object, now) => columns.map((c) => genericCell(c, object, now)), ...rules.printer };
}

/** What can be said of any object: kinds without a printer of their own show their name and age. */
function genericCell({ name, type }: Column, object: KubeObject, now: Instant): Cell {
  if (name === "Name") return object.metadata.name ?? "";
  if (name === "Age") return ageCell(object, now);
  if (name === "Created At") return object.metadata.creationTimestamp ?? "";
  return type === "integer" ? 0 : type === "boolean" ? false : "";
}
