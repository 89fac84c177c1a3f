/** For tests: a server on a loopback port over a FakeApi, and a client that speaks HTTP/1.1 or HTTP/2 to it. */
import { mkdtemp, rm } from "node:fs/promises";
import http2 from "node:http2";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemIds } from "../base/chance.ts";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/logger.ts";
import { Discovery } from "../api/discovery/discovery.ts";
import { OpenApi } from "../api/openapi/openapi.ts";
import { openAuthenticator, staticToken, type TokenVerifier } from "./authentication.ts";
import { allowAll } from "./authorization.ts";
import { type Certificates, openCertificates } from "./certificates.ts";
import { FakeApi } from "./fake-api.ts";
import { openServer, type ServerOptions } from "./server.ts";

export const TOKEN = "the-token";

export interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON, when it is. */
  readonly body: never;
}

export interface TestServer {
  readonly api: FakeApi;
  readonly url: string;
  readonly certificates: Certificates;
  request(method: string, path: string, options?: { readonly body?: string | object; readonly headers?: Record<string, string | string[]>; readonly admin?: boolean; readonly anonymous?: boolean }): Promise<TestAnswer>;
  /** Opens a GET that lasts; `next` gives the lines as they come, `ended` says how it ended. */
  stream(path: string, headers?: Record<string, string>): Promise<{ readonly status: number; readonly next: () => Promise<string>; readonly ended: Promise<string>; readonly close: () => void }>;
  over2(path: string, headers?: Record<string, string>): Promise<TestAnswer>;
  close(): Promise<void>;
}

const parsed = (text: string): never => {
  try {
    return JSON.parse(text) as never;
  } catch {
    return undefined as never;
  }
};

/** Lines that come, and whoever waits for them. */
function lineReader() {
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  let rest = "";
  return {
    push(chunk: string) {
      const pieces = (rest + chunk).split("\n");
      rest = pieces.pop() ?? "";
      for (const line of pieces) {
        const next = waiting.shift();
        if (next) next(line);
        else lines.push(line);
      }
    },
    next: () => new Promise<string>((resolve) => {
      const line = lines.shift();
      if (line !== undefined) resolve(line);
      else waiting.push(resolve);
    }),
  };
}

export async function openTestServer(optionsOf: (api: FakeApi, tokens: readonly TokenVerifier[]) => Partial<ServerOptions> = () => ({})): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), "server-test-"));
  const certificates = await openCertificates({ directory, clock: systemClock, ids: systemIds });
  const api = new FakeApi();
  const tokens = [staticToken(TOKEN, { name: "tester", groups: ["system:masters"] })];
  const discovery = new Discovery();
  const server = openServer({
    api, discovery, openapi: new OpenApi({ discovery, gitVersion: "v1.36.2" }), kindOf: () => undefined, clock: systemClock, ids: systemIds, logger: silentLogger,
    authenticator: openAuthenticator({ tokens, anonymous: true }), authorizer: allowAll,
    tls: { certificate: certificates.server.certificate, key: certificates.server.key, clientAuthority: certificates.authority.certificate },
    version: { gitVersion: "v1.36.2", gitCommit: "0", buildDate: "2026-01-01T00:00:00Z" }, ...optionsOf(api, tokens),
  });
  const { url } = await server.listen(0);
  const ca = certificates.authority.certificate;
  const agent = new https.Agent({ keepAlive: true, ca });
  const adminAgent = new https.Agent({ keepAlive: true, ca, cert: certificates.admin.certificate, key: certificates.admin.key });
  const authorization = `Bearer ${TOKEN}`;
  return {
    api, url, certificates,
    request: (method, path, { body, headers = {}, admin = false, anonymous = false } = {}) =>
      new Promise((resolve, reject) => {
        const payload = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
        const sent = { ...(!admin && !anonymous && { authorization }), ...(payload !== undefined && { "content-type": "application/json", "content-length": String(Buffer.byteLength(payload)) }), ...headers };
        const req = https.request(`${url}${path}`, { method, agent: admin ? adminAgent : agent, headers: sent }, (res) => {
          let text = "";
          res.setEncoding("utf8").on("data", (chunk: string) => (text += chunk)).on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text, body: parsed(text) }));
        });
        req.on("error", reject).end(payload);
      }),
    stream: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const reader = lineReader();
        const req = https.request(`${url}${path}`, { agent, headers: { authorization, ...headers } }, (res) => {
          res.setEncoding("utf8").on("data", (chunk: string) => reader.push(chunk)).on("error", () => {});
          const ended = new Promise<string>((done) => void res.on("end", () => done("end")).on("close", () => done("cut")));
          resolve({ status: res.statusCode ?? 0, next: reader.next, ended, close: () => req.destroy() });
        });
        req.on("error", reject).end();
      }),
    over2: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const session = http2.connect(url, { ca });
        session.on("error", reject);
        const req = session.request({ ":path": path, authorization, ...headers });
        let text = "";
        let head: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
        req.on("response", (h) => (head = h)).setEncoding("utf8").on("data", (chunk: string) => (text += chunk)).on("error", reject);
        req.on("end", () => {
          session.close();
          resolve({ status: head[":status"] ?? 0, headers: head, text, body: parsed(text) });
        }).end();
      }),
    async close() {
      await server.close();
      agent.destroy();
      adminAgent.destroy();
      await rm(directory, { recursive: true });
    },
  };
}
