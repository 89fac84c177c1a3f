/**
 * From a patch to a change: which of the four kinds of patch makes what of the live object, and the check of what came out.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
 */
import { applyPatch } from "../api/patch/patch.ts";
import type { KubeObject } from "../api/object.ts";
import type { PatchType } from "../api/request.ts";
import { shownAs, viewOf, type Call, type Registry } from "./call.ts";
import { applied } from "./field-managers.ts";
import type { Change } from "./update.ts";
import { throughView } from "./views.ts";

function patched(call: Call, type: Exclude<PatchType, "apply">, patch: unknown, current: KubeObject): KubeObject {
  const { object, warnings } = applyPatch({ type, patch, current, expected: shownAs(call).resource, fieldValidation: call.fieldValidation });
  call.warnings.push(...warnings);
  return object;
}

/** What was asked of a view is asked of the object. */
export function changeOf(r: Registry, call: Call, type: PatchType, patch: unknown, force: boolean): Change {
  const change = ownChange(r, call, type, patch, force);
  return viewOf(call) ? throughView(r, call, change) : change;
}

function ownChange(r: Registry, call: Call, type: PatchType, patch: unknown, force: boolean): Change {
  if (type === "apply") return { make: (live) => applied(r, call, live, patch, force), mayCreate: call.subresource === "", tracked: true };
  return { make: (live) => patched(call, type, patch, live ?? { metadata: {} }), mayCreate: false, tracked: false };
}
