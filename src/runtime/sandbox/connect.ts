/** Connections to ports of pods, as from inside: all pods share the machine's network, so that is the machine's own loopback address. */
import { createConnection } from "node:net";
import type { Duplex } from "node:stream";

/** Resolves when connected; rejects where nothing listens. */
export function connect(port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: "127.0.0.1", port, allowHalfOpen: true });
    socket.once("error", (error: NodeJS.ErrnoException) => reject(new Error(error.code === "ECONNREFUSED" ? `failed to connect to localhost:${port}: connection refused` : error.message)));
    socket.once("connect", () => resolve(socket));
  });
}
