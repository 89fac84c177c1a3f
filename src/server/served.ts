/**
 * Which resources and subresources this server has, looked up by what a URL says. Made once from the discovery lists. Pure.
 */
import type { Resource } from "../api/resource.ts";

/** An entry of an APIResourceList. */
export interface ListedResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
  /** Where the kind is of another group than the list. */
  readonly group?: string;
  readonly version?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

export interface ServedSubresource {
  /** The kind of the bodies: group, version, kind. */
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly verbs: ReadonlySet<string>;
}

export interface ServedResource {
  readonly resource: Resource;
  readonly verbs: ReadonlySet<string>;
  readonly subresources: ReadonlyMap<string, ServedSubresource>;
}

export interface ServedResources {
  find(group: string, version: string, plural: string): ServedResource | undefined;
  hasGroup(group: string): boolean;
}

interface Entry extends ServedResource {
  readonly subresources: Map<string, ServedSubresource>;
}

/** `lists`: "api/v1" or "apis/batch/v1" → the entries of that APIResourceList. */
export function servedResources(lists: Readonly<Record<string, readonly ListedResource[]>>): ServedResources {
  const entries = new Map<string, Entry>();
  const groups = new Set<string>();
  for (const [path, list] of Object.entries(lists)) {
    const pieces = path.split("/");
    const [group = "", version = ""] = pieces[0] === "api" ? ["", pieces[1]] : [pieces[1], pieces[2]];
    groups.add(group);
    const sorted = [...list].sort((a, b) => a.name.split("/").length - b.name.split("/").length);
    for (const listed of sorted) addListed(entries, group, version, listed);
  }
  return {
    find: (group, version, plural) => entries.get(`${group}/${version}/${plural}`),
    hasGroup: (group) => groups.has(group),
  };
}

function addListed(entries: Map<string, Entry>, group: string, version: string, listed: ListedResource): void {
  const [plural = "", subresource] = listed.name.split("/");
  const key = `${group}/${version}/${plural}`;
  const verbs = new Set(listed.verbs);
  if (subresource === undefined) {
    entries.set(key, { resource: { group, version, plural, kind: listed.kind, namespaced: listed.namespaced }, verbs, subresources: new Map() });
    return;
  }
  entries.get(key)?.subresources.set(subresource, { kind: listed.kind, group: listed.group ?? group, version: listed.version ?? version, verbs });
}
