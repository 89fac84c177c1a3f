/** Which pod and which container a log, an exec or an attach means, with the errors that the API server itself gives. Follows kubernetes pkg/registry/core/pod/strategy.go. */
import type { Pod } from "../../api/generated/types.ts";
import type { Api, Caller } from "../../api/request.ts";
import { PODS } from "../../api/resource.ts";
import { badRequest } from "../../api/status-error.ts";
import type { PodKey } from "./streams.ts";


/** Rejects with 404. */
export async function getPod(api: Api, namespace: string, name: string, caller: Caller): Promise<Pod> {
  const { body } = await api.handle({ verb: "get", resource: PODS, namespace, name, subresource: "" }, caller);
  return body as unknown as Pod;
}

export const refOf = ({ metadata: { namespace = "", name = "", uid = "" } }: Pod): PodKey => ({ namespace, name, uid });

/** The container's name: the one that is asked for, or the only one. */
export function containerOf(pod: Pod, asked: string): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec ?? { containers: [] };
  const { name = "" } = pod.metadata;
  const all = [...initContainers, ...containers, ...ephemeralContainers].map((c) => c.name);
  if (asked !== "") {
    if (!all.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const [only, second] = containers;
  if (only && !second) return only.name;
  throw badRequest(`a container name must be specified for pod ${name}${only ? `, choose one of: [${all.join(" ")}]` : ""}`);
}
