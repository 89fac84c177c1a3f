/**
 * How the registry sees a kind: where its objects are kept, and how they look to who asks. Two groups can serve one storage
 * (events of "" and of events.k8s.io): then one kind says what is stored, and the other converts.
 */
import type { Kind } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import { apiVersionOf, type Resource } from "../api/resource.ts";
import { onlyVersion, structOfKind, type Versions } from "../api/managed-fields/versions.ts";
import { normalise } from "../api/schema/decode.ts";
import { StatusError } from "../api/status-error.ts";
import { freeze } from "./objects.ts";

export interface Served {
  /** As it is asked for: strategies work on this form. */
  readonly kind: Kind;
  /** As it is stored, and named in a 422. The same value as `kind` in nearly all cases. */
  readonly stored: Kind;
  /** Keys of all its objects begin with this. */
  readonly prefix: string;
  readonly toStored: (object: KubeObject) => KubeObject;
  /** Of a stored, frozen object; the same answer for the same object. */
  readonly fromStored: (object: KubeObject) => KubeObject;
  /** The versions in which objects of this storage are served. */
  readonly versions: Versions;
}

const same = (object: KubeObject) => object;

function convert(kind: Kind): Pick<Served, "toStored" | "fromStored"> {
  const { storedAs } = kind;
  if (!storedAs) return { toStored: same, fromStored: same };
  const converted = new WeakMap<KubeObject, KubeObject>();
  return {
    toStored: storedAs.toStored,
    fromStored(object) {
      let result = converted.get(object);
      if (!result) converted.set(object, (result = freeze(normalise(storedAs.fromStored(object), kind.resource))));
      return result;
    },
  };
}

/** Other kinds of the same storage and group are its other versions; upstream knows nothing of another group's. */
function versionsOf(kind: Kind, inStorage: () => readonly Served[]): Versions {
  const { group } = kind.resource;
  const served = inStorage().filter((other) => other.kind.resource.group === group);
  if (served.length === 1) return onlyVersion(kind.resource);
  const find = (apiVersion: string) => served.find((other) => apiVersionOf(other.kind.resource) === apiVersion);
  return {
    struct(apiVersion) {
      const found = find(apiVersion);
      return found && structOfKind(found.kind.resource);
    },
    convert(object, from, to) {
      const [source, target] = [find(from), find(to)];
      if (!source || !target) return object;
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = target.fromStored(source.toStored({ kind: source.kind.resource.kind, apiVersion: from, ...object } as unknown as KubeObject));
      return rest;
    },
  };
}

const idOf = ({ group, version, plural }: Pick<Resource, "group" | "version" | "plural">) => `${group}/${version}/${plural}`;

export interface ServedKinds {
  /** Rejects with the 404 of a path that is not there. */
  find(resource: Resource): Served;
  peek(resource: Resource): Served | undefined;
  readonly all: readonly Served[];
}

export function serve(kinds: readonly Kind[]): ServedKinds {
  const byId = new Map(kinds.map((kind) => [idOf(kind.resource), kind]));
  const served = new Map<string, Served>();
  for (const kind of kinds) {
    const stored = (kind.storedAs && byId.get(idOf(kind.storedAs.resource))) || kind;
    const { group, plural } = stored.resource;
    const inStorage = () => [...served.values()].filter((other) => other.stored === stored);
    let versions: Versions | undefined;
    served.set(idOf(kind.resource), { kind, stored, prefix: `${group || "core"}/${plural}/`, ...convert(kind), get versions() { return (versions ??= versionsOf(kind, inStorage)); } });
  }
  return {
    all: [...served.values()],
    peek: (resource) => served.get(idOf(resource)),
    find(resource) {
      const found = served.get(idOf(resource));
      if (!found) throw pathNotFound();
      return found;
    },
  };
}

/** The answer for a resource or subresource that is not served. */
export const pathNotFound = (): StatusError => new StatusError({ code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: {} });

export const methodNotAllowed = (): StatusError =>
  new StatusError({ code: 405, reason: "MethodNotAllowed", message: "the server does not allow this method on the requested resource", details: {} });

/** The prefix of all objects of a namespace; of all objects where `namespace` is "". */
export const prefixOf = (served: Served, namespace: string): string => (namespace === "" || !served.kind.resource.namespaced ? served.prefix : `${served.prefix}${namespace}/`);

export const keyFor = (served: Served, namespace: string, name: string): string => (served.kind.resource.namespaced ? `${served.prefix}${namespace}/${name}` : served.prefix + name);
