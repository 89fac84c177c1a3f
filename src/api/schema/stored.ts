/**
 * What storing does to an object: upstream keeps protobuf, which has no empty lists, so that a list that is always printed comes back as null.
 * Only lists matter: everything else that is empty is left out when it is printed.
 * Follows apimachinery pkg/runtime/serializer/protobuf; which lists are always printed is in the types.
 */
import type { JsonObject } from "./json-parser.ts";
import { type Field, type GroupVersionKind, schemaOfKind, type Struct, structOf, type Type } from "./schema.ts";

type Walk = readonly Field[];

const walks = new Map<Struct, Walk>();

const structBelow = (type: Type): Struct | undefined => {
  switch (type.kind) {
    case "struct": return type.struct();
    case "list": return structBelow(type.element);
    case "map": return structBelow(type.value);
    default: return undefined;
  }
};

const isShownEmpty = ({ type, always }: Field): boolean => always && type.kind === "list";

/** The fields at or below which an always printed list can be. Of types that refer to themselves what is being looked at already counts for nothing. */
function walkOf(struct: Struct, above: ReadonlySet<Struct> = new Set()): Walk {
  const known = walks.get(struct);
  if (known) return known;
  const path = new Set(above).add(struct);
  const leads = (field: Field): boolean => {
    const below = structBelow(field.type);
    return isShownEmpty(field) || (below !== undefined && !path.has(below) && walkOf(below, path).length > 0);
  };
  const walk = [...struct.fields.values()].filter(leads);
  walks.set(struct, walk);
  return walk;
}

function visit(type: Type, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (type.kind === "struct") clear(type.struct(), value as JsonObject);
  else if (type.kind === "list" && Array.isArray(value)) for (const item of value) visit(type.element, item);
  else if (type.kind === "map") for (const inner of Object.values(value)) visit(type.value, inner);
}

function clear(struct: Struct, object: JsonObject): void {
  if (Object.isFrozen(object)) return;
  for (const field of walkOf(struct)) {
    const value = object[field.name];
    if (isShownEmpty(field) && Array.isArray(value) && value.length === 0) object[field.name] = null;
    else visit(field.type, value);
  }
}

/** Makes null, in the draft, of lists that would not come back empty. Parts that are frozen were stored before. */
export function clearEmptyLists(draft: object, gvk: GroupVersionKind): void {
  const schema = schemaOfKind(gvk);
  if (schema !== undefined) clear(structOf(schema), draft as JsonObject);
}
