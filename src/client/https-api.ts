/**
 * The Api of a server that is somewhere else, over HTTP(S): this one's or any cluster's. Client certificate, bearer token or password come
 * from the kubeconfig; the caller's user name is not sent, the server knows who asks by the credentials.
 */
import * as http from "node:http";
import * as https from "node:https";
import { freezeDeeply } from "../base/freeze.ts";
import type { Status } from "../api/generated/types.ts";
import type { KubeObject } from "../api/object.ts";
import type { Api, ApiAnswer, ApiRequest, Caller, ObjectList, WatchEvent, WatchHandle, WatchRequest, WatchSink } from "../api/request.ts";
import { StatusError } from "../api/status-error.ts";
import { httpRequestOf, httpWatchOf, type HttpRequest } from "./http-request.ts";
import type { Connection } from "./kubeconfig.ts";
import { unreachable } from "./unreachable.ts";

export interface HttpsApi extends Api {
  /** Closes idle connections and ends the rest. */
  close(): void;
}

/** A request that gets no byte for so long has failed; watches are silent for longer. */
const SILENCE_MS_MAX = 60_000;
const CONNECTIONS_MAX = 64;
/** A Status or an object; beyond this a body is not read. */
const ERROR_BODY_MAX = 1 << 20;

/** Makes an Api that sends to `connection`. */
export function openHttpsApi(connection: Connection): HttpsApi {
  return new RemoteApi(connection);
}

class RemoteApi implements HttpsApi {
  readonly #connection: Connection;
  readonly #base: URL;
  readonly #agent: http.Agent;
  readonly #watchAgent: http.Agent;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#base = new URL(connection.server);
    const isTls = this.#base.protocol === "https:";
    const tls = isTls ? tlsOptions(connection) : {};
    const open = (options: https.AgentOptions) => (isTls ? new https.Agent({ ...tls, ...options }) : new http.Agent(options));
    this.#agent = open({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
    this.#watchAgent = open({ keepAlive: true });
  }

  async handle(request: ApiRequest, caller: Caller): Promise<ApiAnswer> {
    const response = await this.#send(httpRequestOf(request), caller, this.#agent, SILENCE_MS_MAX);
    const text = await textOf(response, this.#connection.server);
    const code = response.statusCode ?? 0;
    if (code >= 400) throw errorOf(code, text);
    const body = parse(text, this.#connection.server);
    return { code, body: freezeDeeply(isList(body) ? nameItems(body) : body), warnings: warningsOf(response) };
  }

  async watch(request: WatchRequest, caller: Caller, sink: WatchSink): Promise<WatchHandle> {
    const response = await this.#send(httpWatchOf(request), caller, this.#watchAgent, 0);
    const code = response.statusCode ?? 0;
    if (code >= 400) throw errorOf(code, await textOf(response, this.#connection.server));
    return followLines(response, sink);
  }

  close(): void {
    this.#agent.destroy();
    this.#watchAgent.destroy();
  }

  #send({ method, path, contentType, body }: HttpRequest, caller: Caller, agent: http.Agent, timeout: number): Promise<http.IncomingMessage> {
    const { token, username, password, server } = this.#connection;
    const headers = {
      accept: "application/json",
      "user-agent": caller.userAgent,
      ...(contentType !== undefined && { "content-type": contentType }),
      ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(username !== undefined && { authorization: `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}` }),
    };
    const { protocol, hostname, port, pathname } = this.#base;
    const send = protocol === "https:" ? https.request : http.request;
    return new Promise((resolve, reject) => {
      const options = { agent, method, hostname: hostname.replace(/^\[|\]$/g, ""), port, path: pathname.replace(/\/$/, "") + path, headers, timeout };
      const sent = send(options, resolve);
      sent.on("timeout", () => sent.destroy(new Error("no answer")));
      sent.on("error", (error) => reject(unreachable(server, error.message)));
      sent.end(body);
    });
  }
}

function tlsOptions({ certificateAuthority, clientCertificate, clientKey, tlsServerName, insecureSkipTlsVerify }: Connection): https.AgentOptions {
  return {
    ...(certificateAuthority !== undefined && { ca: certificateAuthority }),
    ...(clientCertificate !== undefined && { cert: clientCertificate }),
    ...(clientKey !== undefined && { key: clientKey }),
    ...(tlsServerName !== undefined && { servername: tlsServerName }),
    ...(insecureSkipTlsVerify && { rejectUnauthorized: false }),
  };
}

async function textOf(response: http.IncomingMessage, server: string): Promise<string> {
  const isError = (response.statusCode ?? 0) >= 400;
  response.setEncoding("utf8");
  let text = "";
  try {
    for await (const chunk of response) {
      text += chunk as string;
      if (isError && text.length > ERROR_BODY_MAX) break;
    }
  } catch (error) {
    throw unreachable(server, error instanceof Error ? error.message : String(error));
  }
  return text;
}

function parse(text: string, server: string): ApiAnswer["body"] {
  try {
    return JSON.parse(text) as ApiAnswer["body"];
  } catch {
    throw new StatusError({ code: 500, reason: "InternalError", message: `${server} answered with something that is not JSON: ${text.slice(0, 200)}` });
  }
}

function errorOf(code: number, text: string): StatusError {
  try {
    const status = JSON.parse(text) as Status;
    if (status.kind === "Status") return StatusError.fromStatus({ ...status, code: status.code ?? code });
  } catch {
    // Not a Status: the plain text is the message.
  }
  return new StatusError({ code, message: text.trim() || `the server answered with ${code}`, ...(code === 404 && { reason: "NotFound" }), ...(code === 401 && { reason: "Unauthorized" }) });
}

const isList = (body: object): body is ObjectList => "items" in body && Array.isArray(body.items);

/** Servers leave kind and version out of a list's items; here an object always says what it is. */
function nameItems(list: ObjectList): ObjectList {
  const kind = list.kind.replace(/List$/, "");
  return { ...list, items: list.items.map((item) => ({ apiVersion: list.apiVersion, kind, ...item })) };
}

function warningsOf({ headers }: http.IncomingMessage): readonly string[] {
  const text = Buffer.from(headers["warning"] ?? "", "latin1").toString();
  return [...text.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, quoted = ""]) => quoted.replace(/\\(.)/g, "$1"));
}

/** Hands out the events of a response, a line each. A line that is no event ends the watch: whoever watches begins again where it was. */
function followLines(response: http.IncomingMessage, sink: WatchSink): WatchHandle {
  let rest = "";
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    response.destroy();
    sink.onEnd();
  };
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    const events: WatchEvent[] = [];
    let isBroken = false;
    for (const line of lines) {
      const event = line.trim() === "" ? undefined : eventOf(line);
      if (event) events.push(event);
      else if (line.trim() !== "") isBroken = true;
      if (isBroken) break;
    }
    if (events.length > 0 && !isOver) sink.onEvents(events);
    if (isBroken) end();
  });
  response.on("end", end);
  response.on("error", end);
  response.on("close", end);
  return {
    stop() {
      isOver = true;
      response.destroy();
    },
  };
}

function eventOf(line: string): WatchEvent | undefined {
  try {
    const event = JSON.parse(line) as { readonly type?: string; readonly object?: KubeObject };
    return event.type !== undefined && event.object !== undefined ? (freezeDeeply(event) as WatchEvent) : undefined;
  } catch {
    return undefined;
  }
}
