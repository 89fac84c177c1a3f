/**
 * The versions in which one stored kind is served: managers own fields of the version that they wrote in, and are compared in that.
 * Follows apimachinery pkg/util/managedfields/internal/versionconverter.go.
 */
import type { JsonObject } from "../schema/json-parser.ts";
import { type GroupVersionKind, schemaOfKind, structOf, type Struct } from "../schema/schema.ts";

export interface Versions {
  /** The kind's type in this version; undefined where it is not served in it. */
  struct(apiVersion: string): Struct | undefined;
  /** The object's content, without kind, apiVersion and managedFields, as another version has it. */
  convert(object: JsonObject, from: string, to: string): JsonObject;
}

export const apiVersionOf = (gvk: GroupVersionKind): string => (gvk.group === "" ? gvk.version : `${gvk.group}/${gvk.version}`);

/** A type by its kind; a kind without a schema is a bug. */
export function structOfKind(gvk: GroupVersionKind): Struct {
  const schema = schemaOfKind(gvk);
  if (schema === undefined) throw new Error(`bug: no schema of ${gvk.kind}`);
  return structOf(schema);
}

/** A kind that is served in one version only. */
export const onlyVersion = (gvk: GroupVersionKind): Versions => ({
  struct: (apiVersion) => (apiVersion === apiVersionOf(gvk) ? structOfKind(gvk) : undefined),
  convert: (object) => object,
});
