/**
 * TLS on loopback: opens connections, reads the client's certificate once per connection, and hands each socket to HTTP/2 or HTTP/1.1
 * as the handshake agreed. Knows nothing of requests.
 */
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { ClientCertificate, Handler } from "./exchange.ts";
import { openHttp1 } from "./http1.ts";
import { openHttp2 } from "./http2.ts";

export interface TlsFiles {
  /** PEM: the server's certificate and its key. */
  readonly certificate: string;
  readonly key: string;
  /** PEM: who signs client certificates. */
  readonly clientAuthority: string;
}

export interface Listener {
  listen(port: number, host: string): Promise<AddressInfo>;
  /** Takes renewed certificates for connections to come. */
  reload(files: TlsFiles): void;
  /** No new connections; open ones get `graceMs` to end. */
  close(graceMs: number): Promise<void>;
}

function readCertificate(socket: TLSSocket): ClientCertificate | undefined {
  const peer = socket.getPeerCertificate();
  if (!peer || Object.keys(peer).length === 0) return undefined;
  if (!socket.authorized) return { verified: false };
  const { CN, O } = peer.subject as unknown as Record<string, string | string[] | undefined>;
  const listed = (value: string | string[] | undefined) => (value === undefined ? [] : typeof value === "string" ? [value] : value);
  return { verified: true, commonName: listed(CN)[0] ?? "", organizations: listed(O), fingerprint: peer.fingerprint256.replaceAll(":", "").toLowerCase() };
}

const contextOf = (files: TlsFiles) => ({ cert: files.certificate, key: files.key, ca: files.clientAuthority });

export function openListener(handle: Handler, files: TlsFiles, clock: Clock): Listener {
  const certificates = new WeakMap<object, ClientCertificate | undefined>();
  const sockets = new Set<TLSSocket>();
  /** Asks the HTTP/2 sessions to end when their streams have. */
  const stopping = new Set<() => void>();
  const certificateOf = (socket: object) => certificates.get(socket);
  const h1 = openHttp1({ handle, certificateOf });
  const h2 = openHttp2({ handle, certificateOf });
  let arriving: TLSSocket | undefined;
  // "connection" makes the session at once: whoever arrives is known here.
  h2.on("session", (session) => {
    certificates.set(session, arriving && certificates.get(arriving));
    const close = () => session.close();
    stopping.add(close);
    session.once("close", () => stopping.delete(close));
  });
  const tls = createServer({ ...contextOf(files), requestCert: true, rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"], minVersion: "TLSv1.2" });
  tls.on("secureConnection", (socket) => {
    certificates.set(socket, readCertificate(socket));
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    arriving = socket;
    (socket.alpnProtocol === "h2" ? h2 : h1.server).emit("connection", socket);
    arriving = undefined;
  });
  tls.on("tlsClientError", (_error, socket) => socket.destroy());
  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        tls.once("error", reject);
        tls.listen(port, host, () => {
          tls.off("error", reject);
          resolve(tls.address() as AddressInfo);
        });
      }),
    reload: (renewed) => tls.setSecureContext(contextOf(renewed)),
    close: (graceMs) =>
      new Promise((resolve) => {
        const timer = clock.after(graceMs, () => sockets.forEach((socket) => socket.destroy()));
        for (const stop of stopping) stop();
        h1.stop();
        tls.close(() => {
          timer.cancel();
          resolve();
        });
      }),
  };
}
