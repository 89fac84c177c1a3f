/** What the files of a pod's volumes are made from. */
import type { Pod } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import type { PodDeps } from "../deps.ts";
import type { PayloadContext } from "../volumes/payload.ts";
import type { PodTokens } from "../volumes/token.ts";
import { readySandbox, type PodRuntime } from "./world.ts";

/** The user that all containers of a pod run as; undefined when they differ or do not say. */
export function commonUser({ spec }: Pod): number | undefined {
  const users = [...(spec.initContainers ?? []), ...spec.containers].map((c) => c.securityContext?.runAsUser ?? spec.securityContext?.runAsUser);
  return users.every((u) => u === users[0]) ? users[0] : undefined;
}

export function payloadContext(deps: PodDeps, pod: Stored<Pod>, tokens: PodTokens, runtime: PodRuntime | undefined): PayloadContext {
  const ip = runtime ? readySandbox(runtime)?.ip : undefined;
  return {
    pod,
    configuration: deps.configuration,
    hostIps: deps.options.nodeAddresses,
    podIps: ip === undefined ? [] : [ip],
    allocatable: deps.allocatable,
    token: (projection) => tokens.get(projection),
    tokenUser: commonUser(pod),
    hasFsGroup: pod.spec.securityContext?.fsGroup !== undefined,
  };
}
