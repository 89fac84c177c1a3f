/**
 * Which resources and subresources this server has, looked up by what a URL says. Made once from the discovery lists. Pure.
 */
import type { ApiResource, ServedVersion } from "../api/discovery/discovery.ts";
import type { Resource } from "../api/resource.ts";

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

export function servedResources(versions: readonly ServedVersion[]): ServedResources {
  const entries = new Map<string, Entry>();
  for (const { group, version, resources } of versions) {
    const sorted = [...resources].sort((a, b) => a.name.split("/").length - b.name.split("/").length);
    for (const listed of sorted) addListed(entries, group, version, listed);
  }
  const groups = new Set(versions.map((v) => v.group));
  return {
    find: (group, version, plural) => entries.get(`${group}/${version}/${plural}`),
    hasGroup: (group) => groups.has(group),
  };
}

function addListed(entries: Map<string, Entry>, group: string, version: string, listed: ApiResource): void {
  const [plural = "", subresource] = listed.name.split("/");
  const key = `${group}/${version}/${plural}`;
  const verbs = new Set(listed.verbs);
  if (subresource === undefined) {
    entries.set(key, { resource: { group, version, plural, kind: listed.kind, namespaced: listed.namespaced }, verbs, subresources: new Map() });
    return;
  }
  entries.get(key)?.subresources.set(subresource, { kind: listed.kind, group: listed.group ?? group, version: listed.version ?? version, verbs });
}
