/**
 * pods/proxy, services/proxy and nodes/proxy: an HTTP request handed on to a port of a pod. Which pod and which port is decided here as upstream
 * decides it; the connection is the one that port-forwarding takes.
 * Follows kubernetes pkg/registry/core/{pod,service,node} (ResourceLocation) and apimachinery pkg/util/proxy/upgradeaware.go.
 */
import { type IncomingMessage, request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { Endpoints, Pod, Service } from "../api/generated/types.ts";
import type { Api, Caller } from "../api/request.ts";
import { ENDPOINTS, NODES, PODS, type Resource, SERVICES } from "../api/resource.ts";
import { badRequest, isNotFound, notFound, StatusError } from "../api/status-error.ts";
import type { Answer, HttpRequest } from "../server/exchange.ts";
import type { RequestInfo } from "../server/request-info.ts";
import type { ConnectSubresource } from "../server/resources.ts";
import type { PodStreams } from "./pods/streams.ts";
import { refOf } from "./pods/target.ts";

export interface ProxyDeps {
  readonly api: Api;
  readonly streams: PodStreams | undefined;
}

/** A pod's port: where the request goes. */
interface Location {
  readonly pod: Pod;
  readonly port: number;
}

const HTTP_PORT = 80;
const PENDING_BYTES_MAX = 1024 * 1024;
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"]);

const unavailable = (message: string): StatusError => new StatusError({ code: 503, reason: "ServiceUnavailable", message });

/** `name`, `name:port` or `scheme:name:port`; undefined: none of these. Follows apimachinery pkg/util/net (SplitSchemeNamePort). */
export function splitId(id: string): { readonly name: string; readonly port: string } | undefined {
  const parts = id.split(":");
  const [scheme, name = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
  const isScheme = scheme === "" || scheme === "http" || scheme === "https";
  return parts.length > 3 || !isScheme || name === "" ? undefined : { name, port };
}

async function read<T extends object>(api: Api, resource: Resource<T>, namespace: string, name: string, caller: Caller): Promise<T> {
  return (await api.handle({ verb: "get", resource, namespace, name, subresource: "" }, caller)).body as unknown as T;
}

/** Not the machine itself, not many, not nobody. */
const isReachable = (address: string): boolean => address !== "" && !/^(?:127\.|0\.0\.0\.0$|169\.254\.|22[4-9]\.|23\d\.|255\.255\.255\.255$|::1?$|fe80:|ff)/i.test(address);

const numberOf = (port: string): number => (/^\d+$/.test(port) ? Number(port) : HTTP_PORT);

async function podLocation({ api }: ProxyDeps, { namespace, name: id }: RequestInfo, caller: Caller): Promise<Location> {
  const asked = splitId(id);
  if (!asked) throw badRequest(`invalid pod request ${JSON.stringify(id)}`);
  const pod = await read(api, PODS, namespace, asked.name, caller);
  const first = pod.spec?.containers.find((c) => (c.ports ?? []).length > 0)?.ports?.[0]?.containerPort;
  if (!isReachable(pod.status?.podIP ?? "")) throw badRequest("address not allowed");
  return { pod, port: asked.port === "" ? (first ?? HTTP_PORT) : numberOf(asked.port) };
}

/** The name of the port that a number means. */
function portNameOf(service: Service, name: string, port: number): string {
  const found = service.spec?.ports?.find((p) => p.port === port);
  if (!found) throw unavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
  return found.name ?? "";
}

async function endpointsOf(api: Api, namespace: string, name: string, caller: Caller): Promise<Endpoints> {
  try {
    return await read(api, ENDPOINTS, namespace, name, caller);
  } catch (error) {
    throw isNotFound(error) ? notFound(SERVICES, name) : error;
  }
}

async function serviceLocation({ api }: ProxyDeps, { namespace, name: id }: RequestInfo, caller: Caller): Promise<Location> {
  const asked = splitId(id);
  if (!asked) throw badRequest(`invalid service request ${JSON.stringify(id)}`);
  const { name, port } = asked;
  const portName = /^\d+$/.test(port) ? portNameOf(await read(api, SERVICES, namespace, name, caller), name, Number(port)) : port;
  const { subsets = [] } = await endpointsOf(api, namespace, name, caller);
  if (subsets.length === 0) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  for (const { addresses = [], ports = [] } of subsets) {
    const found = ports.find((p) => (p.name ?? "") === portName);
    const target = addresses.find(({ targetRef }) => targetRef?.kind === "Pod")?.targetRef;
    if (found && target?.name) return { pod: await read(api, PODS, target.namespace ?? namespace, target.name, caller), port: found.port };
  }
  throw unavailable(`no endpoints available for service ${JSON.stringify(id)}`);
}

/** There is a node, but no port of it that answers. */
async function nodeLocation({ api }: ProxyDeps, { name: id }: RequestInfo, caller: Caller): Promise<Location> {
  const asked = splitId(id);
  if (!asked) throw badRequest(`invalid node request ${JSON.stringify(id)}`);
  await read(api, NODES, "", asked.name, caller);
  throw unavailable("error trying to reach service: the node has no port of its own");
}

const passedOn = (headers: Readonly<Record<string, string | readonly string[] | undefined>>, without: ReadonlySet<string> = new Set()): Record<string, string | string[]> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined || name.startsWith(":") || HOP_BY_HOP.has(name) || without.has(name) ? [] : [[name, typeof value === "string" ? value : [...value]]])));

/** Who asked is not told on. */
const CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "content-length", "host", "accept-encoding"]);

function answerOf(response: IncomingMessage): Answer {
  return {
    status: response.statusCode ?? 502,
    headers: passedOn(response.headers),
    stream(sink) {
      sink.onClose(() => response.destroy());
      sink.onDrain(() => response.resume());
      response.on("data", (chunk: Buffer) => {
        sink.write(chunk);
        if (sink.pending > PENDING_BYTES_MAX) response.pause();
      });
      response.once("end", () => sink.end());
      response.once("error", () => sink.cut());
    },
  };
}

function exchange(request: HttpRequest, path: string, body: Uint8Array, connection: Duplex): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { ...passedOn(request.headers, CREDENTIALS), host: request.headers["host"] ?? "localhost", "x-forwarded-for": request.remoteAddress, ...(body.length > 0 && { "content-length": String(body.length) }) };
    const sending = httpRequest({ method: request.method, path, headers, createConnection: () => connection }, (response) => resolve(answerOf(response)));
    sending.once("error", (error) => reject(unavailable(`error trying to reach service: ${error.message}`)));
    sending.end(body.length > 0 ? body : undefined);
  });
}

/** What comes behind `/proxy`, with the query, as it was sent; undefined: nothing, not even a slash. */
export function restOf(url: string): string | undefined {
  const [, path, query = ""] = /^[^?]*?\/(?:pods|services|nodes)\/[^/?]+\/proxy(\/[^?]*)?(\?.*)?$/s.exec(url) ?? [];
  return path === undefined ? undefined : path + query;
}

/** Links of a page are relative to a folder. */
const withSlash = ({ url }: HttpRequest): Answer => ({ status: 301, headers: { location: url.replace(/(\?.*)?$/s, "/$1") }, body: "" });

function proxy(locate: (deps: ProxyDeps, info: RequestInfo, caller: Caller) => Promise<Location>, deps: ProxyDeps): ConnectSubresource {
  return {
    hasPath: true,
    async handle(request, info, caller) {
      const { pod, port } = await locate(deps, info, caller);
      const rest = restOf(request.url);
      if (rest === undefined) return withSlash(request);
      const connect = deps.streams?.portForward?.bind(deps.streams);
      if (!connect) throw unavailable("error trying to reach service: nothing runs pods here");
      const stopped = new AbortController();
      const connection = await connect(refOf(pod), port, stopped.signal).catch((error: unknown) => {
        throw unavailable(`error trying to reach service: ${error instanceof Error ? error.message : String(error)}`);
      });
      connection.once("close", () => stopped.abort());
      return exchange(request, rest, await request.body(), connection);
    },
  };
}

/** For the server, by `group/plural/subresource`. */
export const proxyConnects = (deps: ProxyDeps): ReadonlyMap<string, ConnectSubresource> =>
  new Map([["/pods/proxy", proxy(podLocation, deps)], ["/services/proxy", proxy(serviceLocation, deps)], ["/nodes/proxy", proxy(nodeLocation, deps)]]);
