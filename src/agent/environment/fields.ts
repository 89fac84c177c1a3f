/**
 * Values of a pod and its containers that variables and files refer to: fieldRef and resourceFieldRef.
 * Follows kubernetes pkg/fieldpath/fieldpath.go and pkg/api/v1/resource/helpers.go (ExtractContainerResourceValue).
 */
import { own } from "../../base/own.ts";
import type { Container, Pod, ResourceFieldSelector } from "../../api/generated/types.ts";
import { quotientOf } from "../../api/pod-resources.ts";

export interface FieldContext {
  readonly pod: Pod;
  readonly hostIps: readonly string[];
  readonly podIps: readonly string[];
  /** What the node has to give: what a container without limits may use. */
  readonly allocatable: Readonly<Record<string, string>>;
}

const ESCAPES: Readonly<Record<string, string>> = { "\u0007": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"' };

/** Go's %q. */
export const goQuote = (text: string): string =>
  `"${text.replace(/[\u0000-\u001f\u007f\\"]/g, (c) => ESCAPES[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`)}"`;

const formatMap = (map: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${k}=${goQuote(v)}`).join("\n");

const SUBSCRIPT = /^metadata\.(labels|annotations)\['(.+)'\]$/;

/** The value of a fieldRef's path; undefined for a path that there is not. */
export function fieldValue({ pod, hostIps, podIps }: FieldContext, path: string): string | undefined {
  const { metadata, spec } = pod;
  const subscript = SUBSCRIPT.exec(path);
  if (subscript) return own(subscript[1] === "labels" ? metadata.labels : metadata.annotations, subscript[2] ?? "") ?? "";
  switch (path) {
    case "metadata.name": return metadata.name ?? "";
    case "metadata.namespace": return metadata.namespace ?? "";
    case "metadata.uid": return metadata.uid ?? "";
    case "metadata.labels": return formatMap(metadata.labels);
    case "metadata.annotations": return formatMap(metadata.annotations);
    case "spec.nodeName": return spec.nodeName ?? "";
    case "spec.serviceAccountName": return spec.serviceAccountName ?? "";
    case "status.hostIP": return hostIps[0] ?? "";
    case "status.hostIPs": return hostIps.join(",");
    case "status.podIP": return podIps[0] ?? "";
    case "status.podIPs": return podIps.join(",");
    default: return undefined;
  }
}

/** The value of a resourceFieldRef: an unset limit is what the node has, an unset request is 0. */
export function resourceValue(context: FieldContext, selector: ResourceFieldSelector, ofContainer: Container | undefined): string {
  const { initContainers = [], containers } = context.pod.spec;
  const named = [...containers, ...initContainers].find((c) => c.name === selector.containerName);
  const container = selector.containerName ? named : ofContainer;
  if (!container) throw new Error(`container ${selector.containerName ?? ""} not found`);
  const [kind = "", ...rest] = selector.resource.split(".");
  const resource = rest.join(".");
  const set = own(kind === "limits" ? container.resources?.limits : container.resources?.requests, resource);
  const quantity = set ?? (kind === "limits" ? (own(context.allocatable, resource) ?? "0") : "0");
  return String(quotientOf(quantity, selector.divisor ?? "1"));
}
