/**
 * pods/NAME/binding and the collection of bindings: gives a pod its node, once. Writes PodScheduled with it.
 * Follows kubernetes pkg/registry/core/pod/storage/storage.go (BindingREST, assignPod) and validation.ValidatePodBinding.
 */
import type { Binding, Pod } from "../../api/generated/types.ts";
import type { Draft } from "../../api/kinds/kind.ts";
import { PODS } from "../../api/resource.ts";
import { badRequest, conflict, notFound, OBJECT_MODIFIED, StatusError } from "../../api/status-error.ts";
import { formatTime } from "../../api/time.ts";
import { checkNamespace, type Call, type Registry } from "../../registry/call.ts";
import { setPodCondition } from "./condition.ts";
import type { CreateSubresource } from "../../registry/subresources.ts";

const NAMED = { group: "", plural: "pods/binding" };
const SUCCESS = { code: 201, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } };

/** Upstream returns its field errors unwrapped here: a 500 without a reason. */
function validateTarget({ target }: Binding): void {
  const errors: string[] = [];
  if (target?.kind && target.kind !== "Node") errors.push(`target.kind: Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`);
  if (!target?.name) errors.push("target.name: Required value");
  if (errors.length > 0) throw new StatusError({ code: 500, message: errors.length === 1 ? errors.join("") : `[${errors.join(", ")}]` });
}

function checkBindable(pod: Pod, binding: Binding): void {
  const { name = "" } = pod.metadata ?? {};
  const refuse = (why: string) => conflict(NAMED, name, why);
  const { uid, resourceVersion } = binding.metadata ?? {};
  if (uid && uid !== pod.metadata?.uid) throw conflict(PODS, name, `StorageError: invalid object, Code: 4, Key: /registry/pods/${pod.metadata?.namespace ?? ""}/${name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata?.uid ?? ""}`);
  if (resourceVersion && resourceVersion !== pod.metadata?.resourceVersion) throw conflict(PODS, name, `StorageError: invalid object, Code: 4, Key: /registry/pods/${pod.metadata?.namespace ?? ""}/${name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata?.resourceVersion ?? ""}`);
  if (pod.metadata?.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec?.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if (pod.spec?.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
}

function assign(draft: Draft<Pod>, binding: Binding, now: string): void {
  if (draft.spec) draft.spec.nodeName = binding.target.name ?? "";
  const { annotations, labels } = binding.metadata ?? {};
  if (draft.metadata && annotations) draft.metadata.annotations = { ...draft.metadata.annotations, ...annotations };
  if (draft.metadata && labels) draft.metadata.labels = { ...draft.metadata.labels, ...labels };
  draft.status = setPodCondition(draft.status ?? {}, { type: "PodScheduled", status: "True" }, now);
}

export const createBinding: CreateSubresource = async (r, call, object) => {
  const binding = object as Binding;
  checkNamespace(call, binding.metadata?.namespace);
  if (binding.metadata?.name !== call.name) throw badRequest("name in URL does not match name in Binding object");
  validateTarget(binding);
  await bind(r, call, binding);
  return SUCCESS;
};

async function bind(r: Registry, call: Call, binding: Binding): Promise<void> {
  const live = r.reader.get(PODS, call.namespace, call.name);
  if (!live) throw notFound(PODS, call.name);
  checkBindable(live, binding);
  if (call.dryRun) return;
  const now = formatTime(r.clock.now());
  const done = await r.amend(PODS, call.namespace, call.name, (draft, current) => {
    checkBindable(current as Pod, binding);
    assign(draft as Draft<Pod>, binding, now);
  });
  if (!done) throw r.reader.get(PODS, call.namespace, call.name) ? conflict(NAMED, call.name, OBJECT_MODIFIED) : notFound(PODS, call.name);
}
