/**
 * Nothing is made in a namespace that is not there or that is going, and the namespaces that the system lives in stay.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle.
 */
import { NAMESPACES } from "../api/resource.ts";
import { forbidden, notFound } from "../api/status-error.ts";
import { refuse, type AdmissionPlugin } from "../registry/admission.ts";

const IMMORTAL: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

export const namespaceLifecycle: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  mutate(draft, context) {
    const { namespace, operation, reader, resource } = context;
    if (!resource.namespaced) return;
    const place = reader.get(NAMESPACES, "", namespace);
    if (!place) throw notFound(NAMESPACES, namespace);
    if (operation !== "CREATE" || place.status?.phase !== "Terminating") return;
    throw refuse(context, draft, `unable to create new content in namespace ${namespace} because it is being terminated`, [
      { reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" },
    ]);
  },
  validate(object, { operation, resource, name }) {
    const { group, plural } = NAMESPACES;
    if (operation === "DELETE" && resource.group === group && resource.plural === plural && IMMORTAL.has(object.metadata.name ?? "")) throw forbidden(NAMESPACES, name, "this namespace may not be deleted");
  },
};
