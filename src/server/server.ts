/**
 * The HTTP face of the Api: who asks, whom they act as, whether they may, and then the handler of the path.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/server/config.go (DefaultBuildHandlerChain): same filters, same order.
 */
import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/chance.ts";
import type { Logger } from "../base/logger.ts";
import type { Discovery } from "../api/discovery/discovery.ts";
import type { Kind } from "../api/kinds/kind.ts";
import type { OpenApi } from "../api/openapi/openapi.ts";
import type { Attributes } from "../api/rbac/attributes.ts";
import type { Api, Caller, UserInfo } from "../api/request.ts";
import type { Resource } from "../api/resource.ts";
import { badRequest, StatusError } from "../api/status-error.ts";
import type { AuditLog } from "./audit.ts";
import type { Authenticator } from "./authentication.ts";
import { type Authorizer, requireAllowed, requireToAct } from "./authorization.ts";
import { discoveryHandler, type DocumentRoute, getOnly, openApiHandler, rootHandler } from "./documents.ts";
import { type Answer, type HttpRequest, pageNotFound, resourceNotFound, TEXT_PLAIN, textAnswer } from "./exchange.ts";
import { compress } from "./gzip.ts";
import { type HealthCheck, healthAnswer, healthChecks, healthPaths } from "./health.ts";
import { openListener, type TlsFiles } from "./listener.ts";
import { openMetrics, type MetricsSource } from "./metrics.ts";
import { durationError } from "./query.ts";
import { MUTATING, type QueueOptions, READING, RequestQueue } from "./queues.ts";
import { isBrokenPath, requestInfoOf, type RequestInfo } from "./request-info.ts";
import { type ConnectSubresources, handleResource, type ResourceDeps, routeOf } from "./resources.ts";
import { respondError, statusErrorOf } from "./respond.ts";
import { servedResources } from "./served.ts";
import { type Descriptions, openColumns } from "./table.ts";
import { type VersionInfo, versionBody } from "./version.ts";
import { SharedEvents } from "./watch.ts";

/** The user to act as. Rejects with 400 and 403. */
export type Impersonator = (request: HttpRequest, asker: UserInfo, authorizer: Authorizer) => Promise<UserInfo>;

export interface ServerOptions {
  readonly api: Api;
  readonly discovery: Discovery;
  readonly openapi: OpenApi;
  /** Texts of fields, for the columns of Tables. */
  readonly descriptions?: () => Descriptions;
  readonly kindOf: (resource: Resource) => Kind | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** Whom the asker acts as; left out: nobody but themselves. */
  readonly impersonator?: Impersonator;
  readonly tls: TlsFiles;
  readonly version: VersionInfo;
  /** Subresources that are connections. */
  readonly connects?: ConnectSubresources;
  readonly readiness?: readonly HealthCheck[];
  readonly audit?: AuditLog;
  /** More documents, each at its path. */
  readonly documents?: readonly DocumentRoute[];
  /** More lines for /metrics. */
  readonly metrics?: readonly MetricsSource[];
  readonly host?: string;
  /** How many requests are at work and wait; left out: as kube-apiserver's. */
  readonly limits?: { readonly reading: QueueOptions; readonly mutating: QueueOptions };
}

export interface Server {
  listen(port: number): Promise<{ readonly url: string; readonly port: number }>;
  /** Ends watches cleanly, then the connections. */
  close(): Promise<void>;
  /** Certificates for connections to come. */
  reload(tls: TlsFiles): void;
}

const CLOSE_GRACE_MS = 2000;
const MUTATING_VERBS = new Set(["create", "update", "patch", "delete", "deletecollection"]);
/** These hold their place in no queue: they last. */
const LASTING_VERBS = new Set(["watch"]);

/** Follows apiserver/pkg/server/filters/timeout.go: how long a request may take that is no watch. */
const BODY_MS_MAX = 60_000;

/**
 * The request when its body is there: one that comes slowly, or never, holds no place in a queue. What is wrong with a body is said by whoever asks
 * for it.
 */
async function received(request: HttpRequest, clock: Clock): Promise<HttpRequest> {
  const late = Promise.withResolvers<never>();
  const timer = clock.after(BODY_MS_MAX, () => late.reject(new StatusError({ code: 504, reason: "Timeout", message: "Timeout: request did not complete within the allotted timeout", details: {} })));
  const body = Promise.race([request.body(), late.promise]);
  await body.catch(() => {});
  timer.cancel();
  return { ...request, body: () => body };
}

function attributesOf(info: RequestInfo, user: UserInfo): Attributes {
  const { verb } = info;
  if (!info.isResource) return { user, verb, isResource: false, path: info.path };
  const { group, version, resource, subresource, namespace, name } = info;
  return { user, verb, isResource: true, group, version, resource, subresource, namespace, name };
}

/** Refusals of the filters before the handlers tell browsers to believe the media type. */
const GUARDED = { "x-content-type-options": "nosniff" };

/** Only its form counts: nothing here takes as long as that. Follows pkg/endpoints/filters/request_deadline.go. */
function checkTimeout(timeout: string | null): void {
  const wrong = timeout ? durationError(timeout) : undefined;
  if (wrong !== undefined) throw badRequest(`invalid timeout specified in the request URL - ${wrong}`);
}

/** What comes before everything, even before the question who asks. */
const brokenPath = (path: string): Answer =>
  textAnswer(500, `Internal Server Error: ${JSON.stringify(path)}: failed to create RequestInfo: unable to determine kind and namespace from url, ${path}\n`);

export function openServer(options: ServerOptions): Server {
  const { clock, logger, ids } = options;
  const served = servedResources(options.discovery.versions());
  const openWatches = new Set<() => void>();
  const queues = { reading: new RequestQueue(options.limits?.reading ?? READING), mutating: new RequestQueue(options.limits?.mutating ?? MUTATING) };
  const metrics = openMetrics({ queues, watches: () => openWatches.size }, options.metrics);
  const connects: ConnectSubresources = options.connects ?? new Map();
  const deps: ResourceDeps = { ...options, shared: new SharedEvents(), openWatches, connects, columns: openColumns(options.descriptions ?? (() => ({}))) };
  const checks = healthChecks(options.readiness ?? []);
  const routes = new Map([...ownRoutes(), ...(options.documents ?? [])].map(({ path, answer }) => [path, answer]));
  const documents = [discoveryHandler(options.discovery), openApiHandler(options.openapi, clock), rootHandler(options.discovery, [...routes.keys(), ...healthPaths(checks)])];

  async function dispatch(request: HttpRequest, info: RequestInfo, caller: Caller): Promise<Answer> {
    if (!info.isResource) return documentAnswer(request);
    const found = served.find(info.group, info.version, info.resource);
    if (request.path.startsWith("//") || (!found && !served.hasGroup(info.group))) return pageNotFound();
    return handleResource(request, info, routeOf(request.method, info, found, connects), caller, deps);
  }

  async function documentAnswer(request: HttpRequest): Promise<Answer> {
    const health = healthAnswer(request, checks);
    if (health) return health;
    for (const document of documents) {
      const answer = await document(request);
      if (answer) return answer;
    }
    const route = routes.get(request.path.replace(/(.)\/$/, "$1"));
    if (route) return route(request);
    const [, prefix, group] = request.path.split("/");
    if (prefix === "api" || (prefix === "apis" && served.hasGroup(group ?? ""))) throw resourceNotFound();
    return pageNotFound();
  }

  function ownRoutes(): DocumentRoute[] {
    const started = { "process-start-time-unix": String(Math.floor(clock.now() / 1000)) };
    const metricsAnswer: DocumentRoute["answer"] = async ({ method }) => {
      if (method !== "DELETE") return { status: 200, headers: { "content-type": metrics.contentType, ...started }, body: await metrics.text() };
      metrics.reset();
      return { status: 200, headers: { "content-type": TEXT_PLAIN }, body: "metrics reset\n" };
    };
    const version = JSON.stringify(versionBody(options.version), undefined, 2);
    return [
      { path: "/version", answer: getOnly(() => ({ status: 200, headers: { "content-type": "application/json" }, body: version })) },
      { path: "/metrics", answer: metricsAnswer },
    ];
  }

  /** Everything after authentication. */
  async function serve(request: HttpRequest, info: RequestInfo, asker: UserInfo): Promise<Answer> {
    let user = asker;
    const refused = async (question: () => Promise<unknown>): Promise<Answer | undefined> => {
      try {
        return void (await question());
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        const answer = await respondError(request, error);
        return { ...answer, headers: { ...answer.headers, ...GUARDED } };
      }
    };
    const misled = await refused(async () => void (user = (await options.impersonator?.(request, asker, options.authorizer)) ?? asker));
    if (misled) return misled;
    const writes = MUTATING_VERBS.has(info.verb);
    const whole = writes && !request.upgrade ? await received(request, clock) : request;
    const run = async () => {
      const attributes = attributesOf(info, user);
      const forbidden = await refused(() => requireAllowed(options.authorizer, attributes));
      if (forbidden) return forbidden;
      if (connects.get(`${info.group}/${info.resource}/${info.subresource}`)?.acts) await requireToAct(options.authorizer, attributes);
      return dispatch(whole, info, { user, userAgent: request.headers["user-agent"] ?? "" });
    };
    if (LASTING_VERBS.has(info.verb)) return run();
    return (writes ? queues.mutating : queues.reading).run(run);
  }

  async function handle(request: HttpRequest): Promise<Answer> {
    if (isBrokenPath(request.path)) return brokenPath(request.path);
    const started = clock.now();
    const auditId = request.headers["audit-id"] ?? ids.uid();
    const info = requestInfoOf(request.method, request.path, request.query);
    let user: UserInfo | undefined;
    let answer: Answer;
    try {
      if (!LASTING_VERBS.has(info.verb)) checkTimeout(request.query.get("timeout"));
      user = await options.authenticator(request);
      answer = await compress(request, await serve(request, info, user));
    } catch (error) {
      if (!(error instanceof StatusError)) logger.error("a request failed", { method: request.method, path: request.path, error: error instanceof Error ? error.stack : String(error) });
      answer = await respondError(request, statusErrorOf(error));
    }
    metrics.observe(info, request.method, answer.status, clock.now() - started);
    options.audit?.record({ auditId, request, info, user, status: answer.status, started, finished: clock.now() });
    return { ...answer, headers: { "audit-id": auditId, "cache-control": "no-cache, private", ...answer.headers } };
  }

  const listener = openListener(handle, options.tls, clock);
  return {
    async listen(port) {
      const address = await listener.listen(port, options.host ?? "127.0.0.1");
      return { url: `https://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`, port: address.port };
    },
    async close() {
      for (const end of openWatches) end();
      await listener.close(CLOSE_GRACE_MS);
    },
    reload: (tls) => listener.reload(tls),
  };
}
