/**
 * What the server offers: `/api`, `/apis`, the groups, their resources, and all of it in one document (aggregated discovery v2). Documents only;
 * content negotiation and headers are the server's. Facts come from `../data/discovery.json`.
 * Follows apiserver pkg/endpoints/discovery and its aggregated package.
 */
import { table } from "../../base/own.ts";
import { createHash } from "node:crypto";
import facts from "../data/discovery.json" with { type: "json" };

/** A resource or subresource (`pods/log`) as `/api/v1` and its like list it. */
export interface ApiResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
}

export interface ServedVersion {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly ApiResource[];
}

export interface DiscoveryOptions {
  /** Whether the server has this resource; `name` is `pods` or `pods/log`. Left out: all that the facts know. */
  readonly serves?: (resource: { readonly group: string; readonly version: string; readonly name: string }) => boolean;
  /** `127.0.0.1:6443`, for clients that look it up in `/api`. */
  readonly serverAddress?: () => string;
}

export const AGGREGATED_MEDIA_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** The order in which upstream lists groups: by priority, then by name. Follows kube-apiserver's apiVersionPriorities. */
const PRIORITY: Readonly<Record<string, number>> = table({
  "": 18000, "apiregistration.k8s.io": 17900, apps: 17800, "events.k8s.io": 17750, "authentication.k8s.io": 17700, "authorization.k8s.io": 17600, autoscaling: 17500, batch: 17400,
  "certificates.k8s.io": 17300, "networking.k8s.io": 17200, policy: 17100, "rbac.authorization.k8s.io": 17000, "storage.k8s.io": 16800,
  "apiextensions.k8s.io": 16700, "admissionregistration.k8s.io": 16700, "scheduling.k8s.io": 16600, "coordination.k8s.io": 16500, "node.k8s.io": 16300, "discovery.k8s.io": 16200,
  "resource.k8s.io": 16200, "flowcontrol.apiserver.k8s.io": 16100,
});

/** The group and version in which a kind is stored, where that is another than the one it is read in. */
const STORED_AS: Readonly<Record<string, string>> = table({ "autoscaling/v1/HorizontalPodAutoscaler": "autoscaling/v2/HorizontalPodAutoscaler", "events.k8s.io/v1/Event": "/v1/Event" });

/** Upstream's opaque hash of group, version and kind. Follows apiserver pkg/endpoints/discovery/storageversionhash.go. */
function storageVersionHash(group: string, version: string, kind: string): string {
  const id = `${group}/${version}/${kind}`;
  return createHash("sha256").update(STORED_AS[id] ?? id).digest().subarray(0, 8).toString("base64");
}

const isStored = (r: ApiResource): boolean => !r.name.includes("/") && r.verbs.includes("get") && r.name !== "componentstatuses";

/** Upstream's highest versions first: v2 before v1. */
const byVersion = (a: ServedVersion, b: ServedVersion): number => (a.version < b.version ? 1 : a.version > b.version ? -1 : 0);

function versionsOf(options: DiscoveryOptions): readonly ServedVersion[] {
  const serves = options.serves ?? (() => true);
  const versions = Object.entries(facts as unknown as Readonly<Record<string, readonly ApiResource[]>>).map(([path, all]): ServedVersion => {
    const parts = path.split("/");
    const [group, version] = parts.length === 2 ? ["", parts[1] ?? ""] : [parts[1] ?? "", parts[2] ?? ""];
    const resources = all.filter((r) => serves({ group, version, name: r.name })).map((r) => (isStored(r) ? { ...r, storageVersionHash: storageVersionHash(group, version, r.kind) } : r));
    return { group, version, resources };
  });
  return versions.filter((v) => v.resources.length > 0);
}

const groupVersionOf = (v: ServedVersion): string => (v.group === "" ? v.version : `${v.group}/${v.version}`);
const forDiscovery = (v: ServedVersion) => ({ groupVersion: groupVersionOf(v), version: v.version });

/** One resource with its subresources, as aggregated discovery has it. */
function aggregatedResource(r: ApiResource, all: readonly ApiResource[]): object {
  const responseKind = ({ group = "", version = "", kind }: ApiResource) => ({ group, version, kind });
  const subresources = all
    .filter((s) => s.name.startsWith(`${r.name}/`))
    .map((s) => ({ subresource: s.name.slice(r.name.length + 1), responseKind: responseKind(s), verbs: s.verbs }));
  return {
    resource: r.name,
    responseKind: responseKind(r),
    scope: r.namespaced ? "Namespaced" : "Cluster",
    singularResource: r.singularName,
    verbs: r.verbs,
    ...(r.shortNames && { shortNames: r.shortNames }),
    ...(r.categories && { categories: r.categories }),
    ...(subresources.length > 0 && { subresources }),
  };
}

/** All documents of one server. Computed from what it serves; nothing in it changes later. */
export class Discovery {
  readonly #versions: readonly ServedVersion[];
  readonly #serverAddress: () => string;

  constructor(options: DiscoveryOptions = {}) {
    this.#versions = versionsOf(options);
    this.#serverAddress = options.serverAddress ?? (() => "127.0.0.1:6443");
  }

  /** Group versions in upstream's order. */
  versions(): readonly ServedVersion[] {
    return this.#groupNames().flatMap((group) => this.#versionsOf(group));
  }

  /** `/api`. */
  apiVersions(): object {
    return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: this.#serverAddress() }] };
  }

  /** `/apis`. */
  groupList(): object {
    return { kind: "APIGroupList", apiVersion: "v1", groups: this.#groupNames().filter((name) => name !== "").map((name) => this.#group(name)) };
  }

  /** `/apis/GROUP`; undefined for a group that is not served. */
  group(name: string): object | undefined {
    return this.#versionsOf(name).length === 0 || name === "" ? undefined : { kind: "APIGroup", apiVersion: "v1", ...this.#group(name) };
  }

  /** `/api/v1` (group ""), `/apis/GROUP/VERSION`; undefined for a version that is not served. */
  resourceList(group: string, version: string): object | undefined {
    const found = this.#versions.find((v) => v.group === group && v.version === version);
    if (!found) return undefined;
    return { kind: "APIResourceList", ...(group !== "" && { apiVersion: "v1" }), groupVersion: groupVersionOf(found), resources: found.resources };
  }

  /** `/api` or `/apis` as `AGGREGATED_MEDIA_TYPE`. */
  aggregated(root: "api" | "apis"): object {
    const names = this.#groupNames().filter((name) => (name === "") === (root === "api"));
    return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items: names.map((name) => this.#aggregatedGroup(name)) };
  }

  #aggregatedGroup(name: string): object {
    const versions = this.#versionsOf(name).map((v) => ({
      version: v.version,
      resources: v.resources.filter((r) => !r.name.includes("/")).map((r) => aggregatedResource(r, v.resources)),
      freshness: "Current",
    }));
    return { metadata: name === "" ? {} : { name }, versions };
  }

  #group(name: string): object {
    const versions = this.#versionsOf(name).map(forDiscovery);
    return { name, versions, preferredVersion: versions[0] };
  }

  #versionsOf(group: string): readonly ServedVersion[] {
    return this.#versions.filter((v) => v.group === group).sort(byVersion);
  }

  #groupNames(): readonly string[] {
    const names = [...new Set(this.#versions.map((v) => v.group))];
    return names.sort((a, b) => (PRIORITY[b] ?? 0) - (PRIORITY[a] ?? 0) || (a < b ? -1 : 1));
  }
}

/** The ETag of a document's text, in quotes. */
export const etagOf = (text: string): string => `"${createHash("sha512").update(text).digest("hex").toUpperCase()}"`;
