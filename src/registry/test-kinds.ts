/**
 * A registry over a store in memory, with a few small kinds, for tests: ConfigMaps and Namespaces, Jobs with spec, status and generation whose
 * deletion orphans, Pods that leave with grace, Leases that a PUT may make.
 */
import { seededChance, seededIds } from "../base/chance.ts";
import { VirtualClock } from "../base/clock.ts";
import { silentLogger } from "../base/logger.ts";
import { microtaskTurnEnd } from "../base/turn-end.ts";
import { invalidValue } from "../api/field-error.ts";
import type { Job, Pod, Status } from "../api/generated/types.ts";
import { defineKind } from "../api/kinds/define.ts";
import { namespaceKind } from "../api/kinds/core/namespace.ts";
import type { Kind, Lifecycle } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import type { ApiRequest, ListOptions, ObjectList, WatchEvent, WatchOptions } from "../api/request.ts";
import { CONFIG_MAPS, JOBS, LEASES, NAMESPACES, PODS, SERVICE_ACCOUNTS, type Resource } from "../api/resource.ts";
import { StatusError } from "../api/status-error.ts";
import { openMemoryStore } from "../store/memory-store.ts";
import { openRegistry, type RegistryDeps } from "./registry.ts";

/** Forgets the type of the objects. */
const plain = ({ group, version, plural, kind, namespaced }: Resource): Resource<KubeObject> => ({ group, version, plural, kind, namespaced });

export const testKinds: readonly Kind[] = [
  defineKind({ resource: plain(CONFIG_MAPS), schema: "io.k8s.api.core.v1.ConfigMap" }),
  defineKind({ resource: plain(NAMESPACES), schema: "io.k8s.api.core.v1.Namespace", ...(namespaceKind.lifecycle && { lifecycle: namespaceKind.lifecycle as Lifecycle<KubeObject> }), deleteReturnsObject: true, subresources: {} }),
  defineKind({ resource: plain(SERVICE_ACCOUNTS), schema: "io.k8s.api.core.v1.ServiceAccount" }),
  defineKind({
    resource: plain(JOBS),
    schema: "io.k8s.api.batch.v1.Job",
    generation: "spec",
    status: {},
    defaultPropagation: "Orphan",
    deleteWarnings: ({ propagationPolicy }) => (propagationPolicy ? [] : ["children are kept"]),
    validate(out, object) {
      const { parallelism = 0 } = (object as Job).spec ?? {};
      if (parallelism < 0) out.push(invalidValue("spec.parallelism", parallelism, "must be greater than or equal to 0"));
    },
    selectableFields: { "status.successful": (object) => String((object as Job).status?.succeeded ?? 0) },
  }),
  defineKind({
    resource: plain(PODS),
    schema: "io.k8s.api.core.v1.Pod",
    generation: "spec",
    status: {},
    deleteReturnsObject: true,
    gracefulDelete: {
      gracePeriodSeconds(object, options) {
        const { spec, status } = object as Pod;
        if (!spec?.nodeName || status?.phase === "Failed" || status?.phase === "Succeeded") return 0;
        return options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
      },
    },
    selectableFields: { "status.phase": (object) => (object as Pod).status?.phase ?? "", "spec.nodeName": (object) => (object as Pod).spec?.nodeName ?? "" },
  }),
  defineKind({ resource: plain(LEASES), schema: "io.k8s.api.coordination.v1.Lease", keeps: (name) => (name === "kept" ? "it stays" : undefined), allowCreateOnUpdate: true, allowUnconditionalUpdate: false }),
];

export const START = Date.parse("2024-01-01T00:00:00Z");
const CALLER = { user: { name: "admin", groups: [] }, userAgent: "test/1.0" };

/** A registry and short ways to talk to it. */
export function openTestRegistry(deps: Partial<RegistryDeps> = {}) {
  const clock = new VirtualClock(START);
  const store = deps.store ?? openMemoryStore({ clock: new VirtualClock(START), turnEnd: microtaskTurnEnd });
  const api = openRegistry({ store, kinds: testKinds, clock, ids: seededIds(seededChance(1)), logger: silentLogger, admission: [], ...deps });
  const handle = (request: ApiRequest) => api.handle(request, CALLER);
  const target = (resource: Resource, name: string, subresource = "") => ({ resource, namespace: resource.namespaced ? "ns" : "", name, subresource });
  return {
    api,
    clock,
    store,
    handle,
    create: async (resource: Resource, object: object, options = {}) => (await handle({ verb: "create", ...target(resource, "", ""), object: object as KubeObject, options })).body as KubeObject,
    get: async (resource: Resource, name: string, subresource = "") => (await handle({ verb: "get", ...target(resource, name, subresource) })).body as KubeObject,
    update: (resource: Resource, name: string, object: object, subresource = "") => handle({ verb: "update", ...target(resource, name, subresource), object: object as KubeObject, options: {} }),
    patch: async (resource: Resource, name: string, patch: unknown, subresource = "") => (await handle({ verb: "patch", ...target(resource, name, subresource), type: "merge", patch, options: {} })).body as KubeObject,
    remove: (resource: Resource, name: string, options = {}) => handle({ verb: "delete", ...target(resource, name), options }),
    list: async (resource: Resource, options: ListOptions = {}, namespace = "ns") => (await handle({ verb: "list", resource, namespace, options })).body as ObjectList,
    async watch(resource: Resource, options: WatchOptions = {}, namespace = "ns") {
      const events: WatchEvent[] = [];
      let ended = false;
      const handle = await api.watch({ resource, namespace, options }, CALLER, { onEvents: (batch) => void events.push(...batch), onEnd: () => void (ended = true) });
      return { events, handle, ended: () => ended };
    },
  };
}

/** The Status that a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<Status> {
  try {
    await call;
  } catch (e) {
    if (e instanceof StatusError) return e.toStatus();
    throw e;
  }
  throw new Error("it was not refused");
}

export const configMap = (name: string, more: object = {}, metadata: object = {}) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...metadata }, ...more });
