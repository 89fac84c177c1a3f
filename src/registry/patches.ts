/**
 * From a patch to a change: which of the four kinds of patch makes what of the live object, and the check of what came out.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
 */
import { applyPatch } from "../api/patch/patch.ts";
import type { KubeObject } from "../api/object.ts";
import type { PatchType } from "../api/request.ts";
import { StatusError } from "../api/status-error.ts";
import { formatTime } from "../api/time.ts";
import { managerOf, type Call, type Registry } from "./call.ts";
import type { Change } from "./update.ts";

function patched(call: Call, type: Exclude<PatchType, "apply">, patch: unknown, current: KubeObject): KubeObject {
  const { object, warnings } = applyPatch({ type, patch, current, expected: call.served.kind.resource, fieldValidation: call.fieldValidation });
  call.warnings.push(...warnings);
  return object;
}

function applyChange(r: Registry, call: Call, config: unknown, force: boolean): Change {
  const { managedFields } = r;
  if (!managedFields) throw new StatusError({ code: 415, reason: "UnsupportedMediaType", message: "server-side apply is not available" });
  return {
    make: (live) => managedFields.apply({ live, config, manager: managerOf(call), kind: call.served.kind, subresource: call.subresource, now: formatTime(r.clock.now()), force }),
    mayCreate: call.subresource === "",
    tracked: true,
  };
}

export function changeOf(r: Registry, call: Call, type: PatchType, patch: unknown, force: boolean): Change {
  if (type === "apply") return applyChange(r, call, patch, force);
  return { make: (live) => patched(call, type, patch, live ?? { metadata: {} }), mayCreate: false, tracked: false };
}
