/**
 * Validation of the metadata that all kinds share, on create and on update, in upstream's words and order. Changes nothing.
 * Follows kubernetes staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go and pkg/apis/core/validation (ValidateObjectMeta).
 */
import { forbiddenField, invalidValue, required, tooLong, type FieldError } from "./field-error.ts";
import type { ObjectMeta, OwnerReference } from "./generated/types.ts";
import { isLabelValue, isQualifiedName, labelName, type NameCheck } from "./names.ts";

export const ORPHAN_FINALIZER = "orphan";
export const FOREGROUND_FINALIZER = "foregroundDeletion";

const ANNOTATIONS_BYTES_MAX = 256 * 1024;

const bytes = (text: string) => Buffer.byteLength(text);

export function validateLabels(labels: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const e of isQualifiedName(key)) errors.push(invalidValue(field, key, e));
    for (const e of isLabelValue(value)) errors.push(invalidValue(field, value, e));
  }
  return errors;
}

export function validateAnnotations(annotations: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let total = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const e of isQualifiedName(key.toLowerCase())) errors.push(invalidValue(field, key, e));
    total += bytes(key) + bytes(value);
  }
  if (total > ANNOTATIONS_BYTES_MAX) errors.push(tooLong(field, ANNOTATIONS_BYTES_MAX));
  return errors;
}

function validateOwner(owner: OwnerReference, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const parts = owner.apiVersion.split("/");
  const version = parts.length > 2 ? "" : (parts.at(-1) ?? "");
  if (version === "") errors.push(invalidValue(`${field}.apiVersion`, owner.apiVersion, "version must not be empty"));
  if (!owner.kind) errors.push(invalidValue(`${field}.kind`, owner.kind, "must not be empty"));
  if (!owner.name) errors.push(invalidValue(`${field}.name`, owner.name, "must not be empty"));
  if (!owner.uid) errors.push(invalidValue(`${field}.uid`, owner.uid, "must not be empty"));
  if (owner.apiVersion === "v1" && owner.kind === "Event") errors.push(invalidValue(field, owner, "/v1, Kind=Event is disallowed from being an owner"));
  return errors;
}

/** As Go prints it: the fields in their order there. */
const inOrder = ({ apiVersion, kind, name, uid, ...flags }: OwnerReference): OwnerReference => ({ apiVersion: apiVersion ?? "", kind: kind ?? "", name: name ?? "", uid: uid ?? "", ...flags });

export function validateOwnerReferences(owners: readonly OwnerReference[] | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  let first = "";
  const ordered = (owners ?? []).map(inOrder);
  for (const owner of ordered) {
    errors.push(...validateOwner(owner, field));
    if (owner.controller !== true) continue;
    const name = `${owner.kind}/${owner.name}`;
    if (first === "") first = name;
    else errors.push(invalidValue(field, ordered, `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${name}`));
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[], field: string): FieldError[] {
  const errors = finalizers.flatMap((name) => isQualifiedName(name).map((e) => invalidValue(field, name, e)));
  if (finalizers.includes(ORPHAN_FINALIZER) && finalizers.includes(FOREGROUND_FINALIZER)) {
    errors.push(invalidValue(field, finalizers, `finalizer ${ORPHAN_FINALIZER} and ${FOREGROUND_FINALIZER} cannot be both set`));
  }
  return errors;
}

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(["kubernetes", ORPHAN_FINALIZER, FOREGROUND_FINALIZER]);

/** The check that the built-in kinds add to the generic one. */
const unqualifiedFinalizers = (finalizers: readonly string[] | undefined, field: string): FieldError[] =>
  (finalizers ?? []).flatMap((name, i) =>
    name.includes("/") || STANDARD_FINALIZERS.has(name) ? [] : [invalidValue(`${field}[${i}]`, name, "name is neither a standard finalizer name nor is it fully qualified")],
  );

export interface MetaRules {
  readonly namespaced: boolean;
  readonly validateName: NameCheck;
  /** The rules of the kinds themselves, which are stricter about finalizers; false: the generic ones that come before them on an update. */
  readonly builtIn: boolean;
}

function validatePlace(meta: ObjectMeta, { namespaced, validateName }: MetaRules): FieldError[] {
  const errors: FieldError[] = [];
  const { name, generateName, namespace } = meta;
  if (generateName) for (const e of validateName(generateName, true)) errors.push(invalidValue("metadata.generateName", generateName, e));
  if (!name) errors.push(required("metadata.name", "name or generateName is required"));
  else for (const e of validateName(name, false)) errors.push(invalidValue("metadata.name", name, e));
  if (!namespaced && namespace) errors.push(forbiddenField("metadata.namespace", "not allowed on this type"));
  if (namespaced && !namespace) errors.push(required("metadata.namespace"));
  if (namespaced && namespace) for (const e of labelName(namespace, false)) errors.push(invalidValue("metadata.namespace", namespace, e));
  return errors;
}

/** Follows ValidateObjectMeta. */
export function validateObjectMeta(meta: ObjectMeta, rules: MetaRules): FieldError[] {
  const errors = validatePlace(meta, rules);
  if ((meta.generation ?? 0) < 0) errors.push(invalidValue("metadata.generation", meta.generation, "must be greater than or equal to 0"));
  if (meta.labels) errors.push(...validateLabels(meta.labels, "metadata.labels"));
  if (meta.annotations) errors.push(...validateAnnotations(meta.annotations, "metadata.annotations"));
  if (meta.ownerReferences) errors.push(...validateOwnerReferences(meta.ownerReferences, "metadata.ownerReferences"));
  if (meta.finalizers) errors.push(...validateFinalizers(meta.finalizers, "metadata.finalizers"));
  if (rules.builtIn) errors.push(...unqualifiedFinalizers(meta.finalizers, "metadata.finalizers"));
  return errors;
}

const immutable = <T extends string | number | undefined>(now: T, old: T, field: string): FieldError[] => (now === old ? [] : [invalidValue(field, now, "field is immutable")]);

function newFinalizers(meta: ObjectMeta, old: ObjectMeta): FieldError[] {
  const added = (meta.finalizers ?? []).filter((name) => !old.finalizers?.includes(name)).sort();
  if (added.length === 0) return [];
  return [forbiddenField("metadata.finalizers", `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(", ")}}`)];
}

/** Follows ValidateObjectMetaUpdate. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, builtIn: boolean): FieldError[] {
  const errors = old.deletionTimestamp ? newFinalizers(meta, old) : [];
  if (!meta.resourceVersion) errors.push(invalidValue("metadata.resourceVersion", "", "must be specified for an update"));
  if ((meta.generation ?? 0) < (old.generation ?? 0)) errors.push(invalidValue("metadata.generation", meta.generation ?? 0, "must not be decremented"));
  errors.push(
    ...immutable(meta.name, old.name, "metadata.name"),
    ...immutable(meta.namespace, old.namespace, "metadata.namespace"),
    ...immutable(meta.uid, old.uid, "metadata.uid"),
    ...immutable(meta.creationTimestamp, old.creationTimestamp, "metadata.creationTimestamp"),
    ...immutable(meta.deletionTimestamp, old.deletionTimestamp, "metadata.deletionTimestamp"),
    ...immutable(meta.deletionGracePeriodSeconds, old.deletionGracePeriodSeconds, "metadata.deletionGracePeriodSeconds"),
  );
  if (meta.labels) errors.push(...validateLabels(meta.labels, "metadata.labels"));
  if (meta.annotations) errors.push(...validateAnnotations(meta.annotations, "metadata.annotations"));
  if (meta.ownerReferences) errors.push(...validateOwnerReferences(meta.ownerReferences, "metadata.ownerReferences"));
  if (builtIn) errors.push(...unqualifiedFinalizers(meta.finalizers, "metadata.finalizers"));
  return errors;
}
