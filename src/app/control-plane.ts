/**
 * Store, registry, informers and controllers, wired: everything that decides. No HTTP, no pods. The same wiring serves `stint up`, `stint run`
 * and the simulation, which passes in other clocks, stores and transports.
 */
import type { Chance, Ids } from "../base/chance.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { kinds } from "../api/kinds/table.ts";
import type { Api, Caller } from "../api/request.ts";
import { openClient, type Client } from "../client/client.ts";
import { openEventRecorder, type EventRecorder } from "../client/event-recorder.ts";
import { openInformers, type Informers } from "../client/informers.ts";
import { type Controller, type ControllerContext, runController } from "../controllers/framework/controller.ts";
import { type TokenIssuer, tokenSubresource } from "../auth/token-request.ts";
import { SERVICE_NETWORK } from "./bootstrap.ts";
import { openRegistry } from "../registry/registry.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { defaultAdmission } from "../admission/plugins.ts";
import { resourceStorage } from "../resources/storage.ts";
import type { Store } from "../store/store.ts";

export interface ControlPlaneOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly chance: Chance;
  readonly logger: Logger;
  /** Signs service-account tokens. */
  readonly tokens?: TokenIssuer;
  /** Admission beyond the usual steps. */
  readonly admission?: readonly AdmissionPlugin[];
  /** Puts something between the registry and its clients: the simulation's faults. */
  readonly transport?: (api: Api) => Api;
  readonly controllers: (context: (component: string) => ControllerContext) => readonly Controller[];
}

export interface ControlPlane {
  readonly api: Api;
  readonly store: Store;
  readonly informers: Informers;
  /** A client that acts as a part of the system, with all rights. */
  clientFor(component: string): Client;
  recorderFor(component: string, host?: string): EventRecorder;
  /** Runs informers and controllers until `signal` aborts; resolves when all have stopped. */
  run(signal: AbortSignal): Promise<void>;
}

/** Parts of this process act with all rights, under a name of their own. */
export const systemCaller = (component: string): Caller => ({ user: { name: `system:${component}`, groups: ["system:masters", "system:authenticated"] }, userAgent: component });

export function openControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { store, clock, ids, chance, logger } = options;
  const { subresources, ...storage } = resourceStorage(SERVICE_NETWORK);
  const registry = openRegistry({
    store, kinds, clock, ids, logger, ...storage,
    admission: [...defaultAdmission({ ids, clock }), ...(options.admission ?? [])],
    subresources: { ...subresources, ...(options.tokens && tokenSubresource(options.tokens)) },
  });
  const api = options.transport?.(registry) ?? registry;
  const clientFor = (component: string) => openClient(api, systemCaller(component));
  /** One program for those who ask who wrote something, many voices in its events: as upstream. */
  const manager = clientFor("kube-controller-manager");
  const informers = openInformers(manager, { clock, chance, logger });
  const record = (component: string, client: Client, host?: string) => openEventRecorder({ component, ...(host !== undefined && { host }) }, { client, clock, chance, ids, logger });
  const recorderFor = (component: string, host?: string) => record(component, clientFor(component), host);
  const context = (component: string): ControllerContext => ({
    client: manager, informers, clock, ids, chance, logger: logger.child({ component }), recorder: record(component, manager),
  });
  const controllers = options.controllers(context);
  return {
    api: registry, store, informers, clientFor, recorderFor,
    async run(signal) {
      const watching = informers.run(signal);
      await informers.synced(signal);
      await Promise.all([watching, ...controllers.map((controller) => runController(controller, signal))]);
    },
  };
}
