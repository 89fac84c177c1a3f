/**
 * A pod on a node is resized only to what the node can give. Follows kubernetes plugin/pkg/admission/podresize/admission.go.
 */
import type { Pod } from "../api/generated/types.ts";
import type { KubeObject } from "../api/object.ts";
import { amountOf, podRequests } from "../api/pod-resources.ts";
import { NODES, PODS } from "../api/resource.ts";
import { refuse, type AdmissionContext, type AdmissionPlugin } from "../registry/admission.ts";

const OS_LABEL = "kubernetes.io/os";

function validateResize(pod: Pod, context: AdmissionContext): void {
  const { nodeName } = pod.spec;
  if (!nodeName || context.old?.metadata.generation === pod.metadata.generation) return;
  const no = (why: string, cause?: string) => refuse(context, { metadata: pod.metadata }, why, cause === undefined ? undefined : [{ reason: cause }]);
  const node = context.reader.get(NODES, "", nodeName);
  if (!node) throw no(`node ${JSON.stringify(nodeName)} not found`);
  const os = node.metadata?.labels?.[OS_LABEL];
  if (os !== undefined && os !== "linux") throw no(`pod resize is only supported on linux nodes, node ${JSON.stringify(nodeName)} is ${JSON.stringify(os)}`, "UnsupportedPlatform");
  const requests = podRequests(pod.spec);
  const beyond = ["cpu", "memory"].flatMap((name) => {
    const [requested, allocatable] = [requests[name] ?? 0, amountOf(name, node.status?.allocatable?.[name] ?? "0")];
    return requested > allocatable ? [`${name}, requested: ${requested}, allocatable: ${allocatable}`] : [];
  });
  if (beyond.length > 0) throw no(`node didn't have enough allocatable resources: ${beyond.join("; ")}`, "NodeCapacity");
}

export const podResize: AdmissionPlugin = {
  name: "PodResizeValidator",
  validate(object: KubeObject, context) {
    const { operation, resource, subresource } = context;
    if (operation === "UPDATE" && resource.group === PODS.group && resource.plural === PODS.plural && subresource === "resize") validateResize(object as Pod, context);
  },
};
