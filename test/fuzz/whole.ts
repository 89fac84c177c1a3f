/** The API server without its sockets: a registry of all kinds in memory, and requests that go through routing, decoding and answering. */
import { seededChance, seededIds } from "../../src/base/chance.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { Discovery } from "../../src/api/discovery/discovery.ts";
import { findKind, kinds } from "../../src/api/kinds/table.ts";
import type { Api, Caller } from "../../src/api/request.ts";
import { defaultAdmission } from "../../src/admission/plugins.ts";
import { resourceStorage } from "../../src/resources/storage.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import type { HttpRequest } from "../../src/server/exchange.ts";
import { requestInfoOf } from "../../src/server/request-info.ts";
import { handleResource, routeOf, type ResourceDeps } from "../../src/server/resources.ts";
import { servedResources } from "../../src/server/served.ts";
import { openColumns } from "../../src/server/table.ts";
import { SharedEvents } from "../../src/server/watch.ts";
import { StatusError } from "../../src/api/status-error.ts";
import { openMemoryStore } from "../../src/store/memory-store.ts";
import type { Store } from "../../src/store/store.ts";

const START = Date.UTC(2026, 0, 1) as never;

export interface Outcome {
  readonly code: number;
  readonly message: string;
  readonly body: string;
}

export interface Whole {
  readonly api: Api;
  readonly store: Store;
  /** Rejects with what is no StatusError: a bug. */
  send(method: string, url: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Outcome>;
}

const CALLER: Caller = { user: { name: "fuzzer", groups: ["system:masters"] }, userAgent: "fuzzer" };

export async function openWhole(): Promise<Whole> {
  const clock = new VirtualClock(START);
  const ids = seededIds(seededChance(1));
  const store = openMemoryStore();
  const api = openRegistry({ store, kinds, clock, ids, logger: silentLogger, admission: defaultAdmission({ ids, clock }), ...resourceStorage() });
  const served = servedResources(new Discovery().versions());
  const deps: ResourceDeps = {
    api, clock, logger: silentLogger, shared: new SharedEvents(), openWatches: new Set(), connects: new Map(),
    kindOf: (r) => findKind(r.group, r.version, r.plural), columns: openColumns(() => ({})),
  };
  const whole: Whole = {
    api, store,
    async send(method, url, content, headers = {}) {
      const body = content === undefined ? "" : JSON.stringify(content);
      const { pathname: path, searchParams: query } = new URL(url, "https://localhost");
      const request: HttpRequest = {
        method, url, path, query, headers: { "content-type": "application/json", accept: "application/json", ...headers }, rawHeaders: [], remoteAddress: "127.0.0.1", certificate: undefined,
        body: async () => new TextEncoder().encode(body),
      };
      try {
        const info = requestInfoOf(method, path, query);
        const answer = await handleResource(request, info, routeOf(method, info, served.find(info.group, info.version, info.resource), deps.connects), CALLER, deps);
        return { code: answer.status, message: "", body: Buffer.concat([Buffer.from(answer.body ?? ""), ...(answer.pieces ?? [])]).toString() };
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        return { code: error.code, message: error.message, body: "" };
      }
    },
  };
  for (const name of ["default", "kube-system"]) await whole.send("POST", "/api/v1/namespaces", { metadata: { name } });
  await whole.send("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  return whole;
}
