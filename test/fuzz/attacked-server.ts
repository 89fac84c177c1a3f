/**
 * A whole API server in a process of its own, for tests that treat it badly: registry, admission, RBAC, TLS, over a store in memory. Without
 * controllers: what changes, a client has changed. Over IPC it says how much it holds, after it has collected its garbage.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemChance, systemIds } from "../../src/base/chance.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type Logger, silentLogger } from "../../src/base/logger.ts";
import { Discovery } from "../../src/api/discovery/discovery.ts";
import { findKind } from "../../src/api/kinds/table.ts";
import { OpenApi } from "../../src/api/openapi/openapi.ts";
import { SERVICE_ACCOUNTS } from "../../src/api/resource.ts";
import { bootstrapNamespaces } from "../../src/app/bootstrap.ts";
import { openControlPlane } from "../../src/app/control-plane.ts";
import { impersonate } from "../../src/auth/impersonation.ts";
import { bootstrapPolicy, noEscalation, openRbacAuthorizer } from "../../src/auth/rbac.ts";
import { withReviews } from "../../src/auth/reviews.ts";
import { openSigningKey, openTokenIssuer, openTokenVerifier } from "../../src/auth/tokens.ts";
import { podConnects } from "../../src/resources/pods/connect.ts";
import { openAuthenticator, staticToken } from "../../src/server/authentication.ts";
import { openCertificates } from "../../src/server/certificates.ts";
import { openServer } from "../../src/server/server.ts";
import { openMemoryStore } from "../../src/store/memory-store.ts";
import { ADMIN_TOKEN, type FromServer, type Held } from "./attacked.ts";

const errors: string[] = [];
const logger: Logger = { ...silentLogger, error: (message, fields) => void errors.push(`${message} ${JSON.stringify(fields)}`), child: () => logger };
const directory = mkdtempSync(join(tmpdir(), "stint-attacked-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

const clock = systemClock;
const ids = systemIds;
const key = await openSigningKey(directory);
const store = openMemoryStore();
const plane = openControlPlane({ store, clock, ids, chance: systemChance, logger, tokens: openTokenIssuer({ key, clock, ids }), admission: [noEscalation], controllers: () => [] });
const client = plane.clientFor("bootstrap");
await bootstrapNamespaces(client);
await client.create(SERVICE_ACCOUNTS, "default", { metadata: { name: "default" } });
await bootstrapPolicy(plane.api);
const certificates = await openCertificates({ directory, clock, ids });
const tokens = [staticToken(ADMIN_TOKEN, { name: "admin", groups: ["system:masters"] }), openTokenVerifier({ key, clock, api: plane.api })];
const authorizer = openRbacAuthorizer(plane.api);
const discovery = new Discovery();
const server = openServer({
  api: withReviews(plane.api, { authorizer, tokens, clock }), discovery, openapi: new OpenApi({ discovery, gitVersion: "v1.36.2" }),
  kindOf: (r) => findKind(r.group, r.version, r.plural), clock, ids, logger, authorizer, impersonator: impersonate,
  authenticator: openAuthenticator({ tokens, anonymous: true }), connects: podConnects({ api: plane.api, clock, streams: undefined }),
  tls: { certificate: certificates.server.certificate, key: certificates.server.key, clientAuthority: certificates.authority.certificate },
  version: { gitVersion: "v1.36.2", gitCommit: "", buildDate: "1970-01-01T00:00:00Z" },
});
const { url } = await server.listen(0);

/** What can be forgotten is forgotten first: the store's history, and the garbage, also such as the first collection makes. */
async function held(): Promise<Held> {
  await store.compact(store.revision);
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  const MB = 2 ** 20;
  return { heapMB: heapUsed / MB, buffersMB: (external + arrayBuffers) / MB, residentMB: rss / MB, handles, errors };
}

const say = (message: FromServer) => process.send?.(message);
process.on("message", (message) => {
  if (message === "held") void held().then((h) => say({ held: h }));
});
process.on("disconnect", () => process.exit());
say({ ready: { url, authority: certificates.authority.certificate } });
