/**
 * From a patch to a change: which of the four kinds of patch makes what of the live object, and the check of what came out.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
 */
import { applyPatch } from "../api/patch/patch.ts";
import type { KubeObject } from "../api/object.ts";
import type { PatchType } from "../api/request.ts";
import type { Call, Registry } from "./call.ts";
import { applied } from "./field-managers.ts";
import type { Change } from "./update.ts";

function patched(call: Call, type: Exclude<PatchType, "apply">, patch: unknown, current: KubeObject): KubeObject {
  const { object, warnings } = applyPatch({ type, patch, current, expected: call.served.kind.resource, fieldValidation: call.fieldValidation });
  call.warnings.push(...warnings);
  return object;
}

export function changeOf(r: Registry, call: Call, type: PatchType, patch: unknown, force: boolean): Change {
  if (type === "apply") return { make: (live) => applied(r, call, live, patch, force), mayCreate: call.subresource === "", tracked: true };
  return { make: (live) => patched(call, type, patch, live ?? { metadata: {} }), mayCreate: false, tracked: false };
}
