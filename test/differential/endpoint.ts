/** One of the two servers: sends a request as it stands and gives the answer back as it came, with no meaning put into either. */
import { Agent, request as httpsRequest } from "node:https";
import { loadKubeconfig } from "../../src/client/kubeconfig.ts";

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

export interface Answered {
  readonly status: number;
  readonly contentType: string;
  readonly warnings: string;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
}

export interface Endpoint {
  send(request: Sent): Promise<Answered>;
  close(): void;
}

/** A server that panics closes the connection. */
const HUNG_UP: Answered = { status: 0, contentType: "", warnings: "", body: "hung up" };

const SILENCE_MS_MAX = 60_000;

/** A watch is an object a line; an answer to HEAD has no text. */
const parsed = (text: string, contentType: string): unknown => {
  if (text === "" || !contentType.startsWith("application/json")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text.trimEnd().split("\n").map((line) => JSON.parse(line) as unknown);
  }
};

/** Opens the server that a kubeconfig's current context names. Throws if the file can't be read. */
export function openEndpoint(kubeconfig: string): Endpoint {
  const { server, certificateAuthority: ca, clientCertificate: cert, clientKey: key, token } = loadKubeconfig([kubeconfig]);
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca, cert, key });
  const credentials = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return {
    close: () => agent.destroy(),
    send: ({ method, path, body, contentType = "application/json", accept = "application/json" }) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        const headers = { accept, "user-agent": "differential", ...credentials, ...(text !== undefined && { "content-type": contentType, "content-length": Buffer.byteLength(text) }) };
        const sending = httpsRequest(new URL(path, server), { method, agent, headers, timeout: SILENCE_MS_MAX }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.once("error", reject);
          response.once("end", () => {
            const type = response.headers["content-type"] ?? "";
            resolve({ status: response.statusCode ?? 0, contentType: type, warnings: response.headers["warning"] ?? "", body: parsed(Buffer.concat(chunks).toString(), type) });
          });
        });
        sending.once("timeout", () => sending.destroy(new Error(`${method} ${path}: no answer`)));
        sending.once("error", (error: Error & { code?: string }) => (error.code === "ECONNRESET" ? resolve(HUNG_UP) : reject(error)));
        sending.end(text);
      }),
  };
}
