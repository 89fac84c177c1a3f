/**
 * The kinds StorageClass and VolumeAttributesClass.
 * Follows kubernetes pkg/apis/storage/validation/validation.go and pkg/registry/storage/{storageclass,volumeattributesclass}.
 */
import { duplicate, forbiddenField, invalidValue, required, tooLong } from "../../field-error.ts";
import type { StorageClass, TopologySelectorTerm, VolumeAttributesClass } from "../../generated/types.ts";
import { isQualifiedName, subdomainName } from "../../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../object-meta.ts";
import { type Errors, immutable, reasons, semanticallyEqual, sortedMap, unsupported } from "../../validation/fields.ts";
import { defineKind } from "../define.ts";
import type { Kind } from "../kind.ts";
import { DEPRECATED_NODE_LABELS } from "../pod/warnings.ts";
import { ageCell } from "../printing.ts";

const STORAGE = "storage.k8s.io";
const PARAMETERS_MAX = 512;
const PARAMETERS_BYTES_MAX = 256 * 1024;

function validateProvisioner(out: Errors, field: string, name: string): void {
  if (name === "") out.push(required(field));
  else reasons(out, field, name.toLowerCase(), isQualifiedName(name.toLowerCase()));
}

function validateParameters(out: Errors, parameters: Readonly<Record<string, string>> = {}): void {
  const pairs = Object.entries(parameters);
  if (pairs.length > PARAMETERS_MAX) return void out.push(tooLong("parameters", PARAMETERS_MAX));
  for (const [key] of pairs) if (key === "") out.push(invalidValue("parameters", key, "field can not be empty."));
  if (pairs.reduce((n, [key, value]) => n + Buffer.byteLength(key) + Buffer.byteLength(value), 0) > PARAMETERS_BYTES_MAX) out.push(tooLong("parameters", PARAMETERS_BYTES_MAX));
}

/** Key → its values: terms with the same are one said twice. */
function validateTerm(out: Errors, field: string, term: TopologySelectorTerm): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, ReadonlySet<string>>();
  (term.matchLabelExpressions ?? []).forEach(({ key, values }, i) => {
    const at = `${field}.matchLabelExpressions[${i}]`;
    if (!values?.length) out.push(required(`${at}.values`));
    (values ?? []).forEach((value, j) => {
      if (values.indexOf(value) < j) out.push(duplicate(`${at}.values[${j}]`, value));
    });
    reasons(out, `${at}.key`, key ?? "", isQualifiedName(key ?? ""));
    if (found.has(key)) out.push(duplicate(`${at}.key`, key));
    found.set(key, new Set(values ?? []));
  });
  return found;
}

const textOfTerm = (term: ReadonlyMap<string, ReadonlySet<string>>): string => [...term].map(([key, values]) => JSON.stringify([key, [...values].sort()])).sort().join();

function validateTopologies(out: Errors, terms: readonly TopologySelectorTerm[]): void {
  const seen: string[] = [];
  // Upstream compares with as many empty terms as there are terms, too.
  terms.forEach((term, i) => {
    const found = validateTerm(out, `allowedTopologies[${i}]`, term);
    const before = [...(found.size === 0 ? terms.map(() => "") : []), ...seen];
    for (const text of before) if (text === textOfTerm(found)) out.push(duplicate(`allowedTopologies[${i}].matchLabelExpressions`, ""));
    seen.push(textOfTerm(found));
  });
}

function validateStorageClass(out: Errors, o: StorageClass): void {
  validateProvisioner(out, "provisioner", o.provisioner ?? "");
  validateParameters(out, o.parameters);
  if (o.reclaimPolicy && o.reclaimPolicy !== "Delete" && o.reclaimPolicy !== "Retain") out.push(unsupported("reclaimPolicy", o.reclaimPolicy, ["Delete", "Retain"]));
  const mode = o.volumeBindingMode;
  if (mode !== undefined && mode !== "Immediate" && mode !== "WaitForFirstConsumer") out.push(unsupported("volumeBindingMode", mode, ["Immediate", "WaitForFirstConsumer"]));
  validateTopologies(out, o.allowedTopologies ?? []);
}

const warnings = ({ allowedTopologies = [] }: StorageClass): readonly string[] =>
  allowedTopologies.flatMap((term, i) => (term.matchLabelExpressions ?? []).flatMap(({ key }, j) => (DEPRECATED_NODE_LABELS[key] === undefined ? [] : [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${DEPRECATED_NODE_LABELS[key]}`])));

export const storageClassKind: Kind<StorageClass> = defineKind<StorageClass>({
  resource: { group: STORAGE, version: "v1", plural: "storageclasses", kind: "StorageClass", namespaced: false },
  schema: "io.k8s.api.storage.v1.StorageClass",
  printer: {
    cells(o, now) {
      const isDefault = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"].some((key) => o.metadata.annotations?.[key] === "true");
      return [`${o.metadata.name ?? ""}${isDefault ? " (default)" : ""}`, o.provisioner, o.reclaimPolicy ?? "Delete", o.volumeBindingMode ?? "Immediate", o.allowVolumeExpansion ?? false, ageCell(o, now)];
    },
  },
  applyDefaults(draft) {
    draft.reclaimPolicy ??= "Delete";
    draft.volumeBindingMode ??= "Immediate";
  },
  validate: validateStorageClass,
  createWarnings: warnings,
  validateUpdate(out, o, old) {
    validateStorageClass(out, o);
    immutable(out, "parameters", o.parameters ? sortedMap(o.parameters) : null, old.parameters ?? null);
    immutable(out, "provisioner", o.provisioner ?? "", old.provisioner ?? "");
    immutable(out, "reclaimPolicy", o.reclaimPolicy ?? null, old.reclaimPolicy ?? null);
    immutable(out, "volumeBindingMode", o.volumeBindingMode ?? null, old.volumeBindingMode ?? null);
  },
  updateWarnings: warnings,
  deleteReturnsObject: true,
});

function validateAttributesClass(out: Errors, o: VolumeAttributesClass): void {
  validateProvisioner(out, "driverName", o.driverName ?? "");
  validateParameters(out, o.parameters);
  if (Object.keys(o.parameters ?? {}).length === 0) out.push(required("parameters", "must contain at least one key/value pair"));
}

export const volumeAttributesClassKind: Kind<VolumeAttributesClass> = defineKind<VolumeAttributesClass>({
  resource: { group: STORAGE, version: "v1", plural: "volumeattributesclasses", kind: "VolumeAttributesClass", namespaced: false },
  schema: "io.k8s.api.storage.v1.VolumeAttributesClass",
  printer: { cells: (o, now) => [o.metadata.name ?? "", o.driverName, ageCell(o, now)] },
  validate: validateAttributesClass,
  metaOnUpdate: "own",
  validateUpdate(out, o, old) {
    out.push(...validateObjectMetaUpdate(o.metadata, old.metadata, true));
    if (o.driverName !== old.driverName) out.push(forbiddenField("driverName", "updates to driverName are forbidden."));
    if (!semanticallyEqual(o.parameters ?? {}, old.parameters ?? {})) out.push(forbiddenField("parameters", "updates to parameters are forbidden."));
    out.push(...validateObjectMeta(o.metadata, { namespaced: false, validateName: subdomainName, builtIn: true }));
    validateAttributesClass(out, o);
  },
  deleteReturnsObject: true,
});
