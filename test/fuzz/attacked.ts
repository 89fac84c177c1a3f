/** The other side of attacked-server.ts: starts it, asks what it holds, speaks to it over HTTP/1.1, HTTP/2 and bare TLS. */
import { type ChildProcess, fork } from "node:child_process";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { fileURLToPath } from "node:url";
import { connect as connectTls, type TLSSocket } from "node:tls";

export const ADMIN_TOKEN = "the-administrator";

/** What the process holds. */
export interface Held {
  readonly heapMB: number;
  /** Bytes outside the heap: buffers. */
  readonly buffersMB: number;
  readonly residentMB: number;
  /** Sockets, streams and other things that are open. */
  readonly handles: Readonly<Record<string, number>>;
  /** What was logged as an error: something threw that no client may cause. */
  readonly errors: readonly string[];
}

export type FromServer = { readonly ready: { readonly url: string; readonly authority: string } } | { readonly held: Held };

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export interface Received {
  readonly status: number;
  readonly type: string;
  readonly retryAfter: string | undefined;
  readonly body: Buffer;
}

const ANSWER_MS_MAX = 10_000;
const AUTHORIZATION = `Bearer ${ADMIN_TOKEN}`;

/** Rejects where `promise` takes longer than anything here may take. */
export function within<T>(promise: Promise<T>, what: string, ms = ANSWER_MS_MAX): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing for ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** One HTTP/2 connection. */
export class Connection {
  readonly #session: ClientHttp2Session;

  constructor(session: ClientHttp2Session) {
    this.#session = session;
    session.on("error", () => {});
  }

  get session(): ClientHttp2Session {
    return this.#session;
  }

  /** Rejects where no answer comes, or the stream is reset before one. */
  send({ method, path, headers, body }: Sent): Promise<Received> {
    const answer = new Promise<Received>((resolve, reject) => {
      const stream = this.#session.request({ ":method": method, ":path": path, authorization: AUTHORIZATION, ...headers }, { endStream: body === undefined });
      const chunks: Buffer[] = [];
      let head: Record<string, string | string[] | number | undefined> = {};
      stream.on("response", (h) => (head = h)).on("data", (chunk: Buffer) => void chunks.push(chunk));
      stream.on("error", (error) => reject(new Error(`${error.message} to ${method} ${path.slice(0, 300)} with ${JSON.stringify(headers).length} characters of headers and ${body?.length ?? 0} bytes`)));
      stream.on("end", () => resolve({ status: Number(head[":status"] ?? 0), type: String(head["content-type"] ?? ""), retryAfter: head["retry-after"]?.toString(), body: Buffer.concat(chunks) }));
      stream.on("close", () => reject(new Error(`the stream was closed with ${stream.rstCode}`)));
      if (body !== undefined) stream.end(body);
    });
    return within(answer, `${method} ${path}`);
  }

  /** The same with plain JSON. */
  json(method: string, path: string, value?: object, type = "application/json"): Promise<Received> {
    return this.send({ method, path, headers: { accept: "application/json", ...(value && { "content-type": type }) }, body: value && Buffer.from(JSON.stringify(value)) });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#session.destroyed) return resolve();
      this.#session.once("close", () => resolve());
      this.#session.destroy();
    });
  }
}

export class Attacked {
  readonly #child: ChildProcess;
  readonly #url: URL;
  readonly #ca: string;
  #dead: string | undefined;

  private constructor(child: ChildProcess, url: string, ca: string) {
    this.#child = child;
    this.#url = new URL(url);
    this.#ca = ca;
    child.once("exit", (code, signal) => (this.#dead = `the server ended with ${code ?? signal}`));
  }

  static async start(): Promise<Attacked> {
    const child = fork(fileURLToPath(new URL("attacked-server.ts", import.meta.url)), { execArgv: ["--expose-gc", "--max-semi-space-size=8"], stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const message = await within(new Promise<FromServer>((resolve) => void child.once("message", (m) => resolve(m as FromServer))), "the server's start", 60_000);
    if (!("ready" in message)) throw new Error("the server did not say where it is");
    return new Attacked(child, message.ready.url, message.ready.authority);
  }

  /** What the server holds after a garbage collection. */
  async held(): Promise<Held> {
    this.#child.send("held");
    const message = await within(new Promise<FromServer>((resolve) => void this.#child.once("message", (m) => resolve(m as FromServer))), "the measurement");
    if (!("held" in message)) throw new Error("the server did not measure");
    return message.held;
  }

  /** Throws where the server is not there any more. */
  check(): void {
    if (this.#dead !== undefined) throw new Error(this.#dead);
  }

  connect(settings: { readonly initialWindowSize?: number } = {}): Connection {
    return new Connection(connectHttp2(this.#url, { ca: this.#ca, settings }));
  }

  /** A connection that speaks HTTP/1.1, or whatever is written into it. */
  tls(protocol = "http/1.1"): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host: this.#url.hostname, port: Number(this.#url.port), ca: this.#ca, ALPNProtocols: [protocol] }, () => resolve(socket));
      socket.on("error", reject);
    });
  }

  /** The value of a gauge of /metrics. */
  async gauges(connection: Connection): Promise<{ readonly inFlight: number; readonly inQueue: number; readonly watches: number }> {
    const text = (await connection.json("GET", "/metrics")).body.toString();
    const sum = (name: string) => [...text.matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)$`, "gm"))].reduce((n, m) => n + Number(m[1]), 0);
    return { inFlight: sum("apiserver_current_inflight_requests"), inQueue: sum("apiserver_current_inqueue_requests"), watches: sum("apiserver_longrunning_requests") };
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#dead !== undefined) return resolve();
      this.#child.once("exit", () => resolve());
      // It ends by itself then, and takes its directory along.
      this.#child.disconnect();
    });
  }
}

/** The bytes of a request of HTTP/1.1. */
export function rawRequest({ method, path, headers, body }: Sent): Buffer {
  const all = { host: "localhost", authorization: AUTHORIZATION, ...(body && { "content-length": String(body.length) }), ...headers };
  const lines = [`${method} ${path} HTTP/1.1`, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`), "", ""];
  return Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), body ?? Buffer.alloc(0)]);
}
