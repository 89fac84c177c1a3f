/**
 * For tests of kinds: a create or an update as the registry does it, without a registry. Errors come back as `field: message`.
 */
import type { KubeObject } from "../object.ts";
import { validateObjectMeta } from "../object-meta.ts";
import { apiVersionOf } from "../resource.ts";
import { normalise } from "../schema/decode.ts";
import type { FieldError } from "../field-error.ts";
import { findKindByKind } from "./table.ts";
import type { Draft, Kind } from "./kind.ts";

export const UID = "11111111-1111-1111-1111-111111111111";

export interface Tried {
  readonly object: KubeObject;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const texts = (errors: readonly FieldError[]): string[] => errors.map((e) => `${e.field}: ${e.message}`);

export function kindFor(apiVersion: string, kind: string): Kind {
  const found = findKindByKind(apiVersion, kind);
  if (!found) throw new Error(`no kind ${apiVersion} ${kind}`);
  return found;
}

function decoded(kind: Kind, object: object): Draft<KubeObject> {
  const { group, version, kind: name } = kind.resource;
  const copy = structuredClone({ metadata: {}, ...object }) as KubeObject;
  const draft = structuredClone(normalise(copy, { group, version, kind: name })) as Draft<KubeObject>;
  draft.apiVersion = apiVersionOf(kind.resource);
  draft.kind = name;
  kind.applyDefaults(draft);
  return draft;
}

/** A copy with its defaults filled in once more. */
export function defaulted(kind: Kind, object: KubeObject): KubeObject {
  const draft = structuredClone(object) as Draft<KubeObject>;
  kind.applyDefaults(draft);
  return draft;
}

export function tryCreate(kind: Kind, object: object): Tried {
  const draft = decoded(kind, object);
  draft.metadata = { ...draft.metadata, uid: UID, ...(kind.resource.namespaced && { namespace: "ns" }), creationTimestamp: "2024-01-01T00:00:00Z" };
  const told = kind.create.prepare(draft);
  const meta = kind.create.ownMeta ? [] : validateObjectMeta(draft.metadata, { namespaced: kind.resource.namespaced, validateName: kind.validateName, builtIn: true });
  return { object: draft, errors: texts([...meta, ...kind.create.validate(draft)]), warnings: [...told, ...(kind.create.warnings?.(draft) ?? [])] };
}

/** As it would be stored. */
export function stored(kind: Kind, object: object): KubeObject {
  const { object: made, errors } = tryCreate(kind, object);
  if (errors.length > 0) throw new Error(errors.join("; "));
  const copy = decoded(kind, made);
  copy.metadata = { ...copy.metadata, resourceVersion: "1" };
  return copy;
}

/** `change` is what a client sends instead of the old object's top-level fields; `subresource` "" is the object itself. */
export function tryUpdate(kind: Kind, old: KubeObject, change: (draft: Record<string, unknown>) => void, subresource = ""): Tried {
  const copy = structuredClone(old) as unknown as Record<string, unknown>;
  change(copy);
  const draft = decoded(kind, copy);
  const strategy = subresource === "" ? kind.update : kind.subresources[subresource];
  if (!strategy) throw new Error(`no subresource ${subresource}`);
  strategy.prepare(draft, old);
  return { object: draft, errors: texts(strategy.validate(draft, old)), warnings: strategy.warnings?.(draft, old) ?? [] };
}
