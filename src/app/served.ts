/**
 * `stint up`: everything, on disk, behind TLS on loopback.
 */
import { appendFile, chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { systemChance, systemIds } from "../base/chance.ts";
import { sleep, systemClock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { findKind, kinds } from "../api/kinds/table.ts";
import { Discovery } from "../api/discovery/discovery.ts";
import { loadDescriptions } from "../api/openapi/descriptions.ts";
import { OpenApi } from "../api/openapi/openapi.ts";
import { openAuditLog } from "../server/audit.ts";
import { openAuthenticator } from "../server/authentication.ts";
import { type Certificates, openCertificates } from "../server/certificates.ts";
import { kubeconfigText } from "../server/kubeconfig.ts";
import { podConnects } from "../resources/pods/connect.ts";
import { proxyConnects } from "../resources/proxy.ts";
import type { PodStreams } from "../resources/pods/streams.ts";
import { openIdRoutes } from "../auth/openid.ts";
import { impersonate } from "../auth/impersonation.ts";
import { withReviews } from "../auth/reviews.ts";
import { bootstrapPolicy, noEscalation, openRbacAuthorizer } from "../auth/rbac.ts";
import { openServer, type Server } from "../server/server.ts";
import { adminToken, openSigningKey, openTokenIssuer, openTokenVerifier } from "../auth/tokens.ts";
import { openSecretTokenIssuer, openSecretTokenVerifier } from "../auth/secret-tokens.ts";
import { openDurableStore } from "../store/durable-store.ts";
import { API_SERVICE_IP, bootstrapCluster } from "./bootstrap.ts";
import { fileErrorText, type Part, type Settings, UsageError, type Userland } from "./configuration.ts";
import { type ControlPlane, openControlPlane } from "./control-plane.ts";
import { openControllerMetrics, type ControllerMetrics } from "./controller-metrics.ts";
import { allControllers, serverControllers } from "./controllers.ts";
import { takeDataDirectory } from "./data-directory.ts";
import { errorLogger, openLogger } from "./logger.ts";
import { openNode } from "./node.ts";
import { KUBERNETES_VERSION } from "./version.ts";

export interface ServedOptions {
  readonly dataDirectory: string;
  readonly port: number;
  readonly kubeconfigPath?: string;
  readonly auditLogPath?: string;
  readonly disabled: ReadonlySet<Part>;
  readonly userland: Userland;
  readonly strictPull: boolean;
  readonly registryMirrors: Settings["registryMirrors"];
  readonly verbose: boolean;
  readonly onNotice: (text: string) => void;
}

export interface ServedStint {
  readonly url: string;
  readonly kubeconfigPath: string;
  /** Resolves with the reason when something that it can't go on without has failed. */
  readonly failed: Promise<Error>;
  /** Stops serving; pods go on. */
  close(): Promise<void>;
}

/** Rejects with UsageError for what the user can mend: a port or a directory that is taken, a kernel that lacks something. */
export async function openServedStint(options: ServedOptions): Promise<ServedStint> {
  const directory = await takeDataDirectory(resolve(options.dataDirectory));
  try {
    return await open(options, directory.path, () => directory.release());
  } catch (error) {
    await directory.release();
    throw error;
  }
}

async function open(options: ServedOptions, path: string, release: () => Promise<void>): Promise<ServedStint> {
  if (options.auditLogPath !== undefined) await checkAuditLog(options.auditLogPath);
  const logger = options.verbose ? await openLogger(true) : errorLogger((line) => void process.stderr.write(line));
  const certificates = await openCertificates({ directory: join(path, "pki"), clock: systemClock, ids: systemIds, addresses: [API_SERVICE_IP] });
  const signingKey = await openSigningKey(join(path, "pki"));
  const failure = Promise.withResolvers<Error>();
  const store = openDurableStore(join(path, "store"), { onFailure: (error) => failure.resolve(error) });
  const isNew = store.revision === 0;
  const metrics = openControllerMetrics();
  const plane = openControlPlane({
    store, clock: systemClock, ids: systemIds, chance: systemChance, logger,
    tokens: openTokenIssuer({ key: signingKey, clock: systemClock, ids: systemIds }),
    admission: [noEscalation],
    controllers: (context) => options.disabled.has("controllers") ? serverControllers(context) : allControllers(context, { resources: kinds.filter((k) => !k.storedAs).map((k) => k.resource), certificateAuthority: certificates.authority.certificate, issueSecretToken: openSecretTokenIssuer(signingKey), metrics }),
  });
  const node = await openNode({ ...options, plane, logger, stateDirectory: path, dataDirectory: path });
  let address = "";
  const server = openHttp({ options, plane, logger, certificates, signingKey, podStreams: node.agent?.streams, metrics, serverAddress: () => address });
  const stop = new AbortController();
  const { url, port } = await listen(server, options.port);
  address = new URL(url).host;
  const start = () => Promise.all([plane.run(stop.signal), node.run(stop.signal)]).then(() => undefined, (error: unknown) => {
    failure.resolve(error instanceof Error ? error : new Error(String(error)));
  });
  // On a store that holds much, reading all of it for the controllers would keep the first clients waiting; on a new one, they make what pods need.
  let running = isNew ? start() : undefined;
  const end = async () => {
    await server.close();
    stop.abort();
    await running;
    await store.close();
  };
  try {
    await bootstrapCluster(plane.clientFor("kube-apiserver"), port);
    await bootstrapPolicy(plane.api);
    // What made the cluster is nobody's history: a watch from before it is too old, as it is upstream.
    if (isNew) await store.compact(store.revision);
    const token = adminToken({ key: signingKey, clock: systemClock, ids: systemIds });
    const text = kubeconfigText({ server: url, name: "stint", user: "stint-admin", certificateAuthority: certificates.authority.certificate, token });
    const kubeconfigPath = await writeKubeconfig(options.kubeconfigPath ?? join(path, "kubeconfig"), text);
    // A turn later: whoever waits for this to be ready hears so first.
    running ??= sleep(systemClock, 0, stop.signal).then(start);
    return { url, kubeconfigPath, failed: failure.promise, close: () => end().then(release) };
  } catch (error) {
    // What runs already would keep the process alive behind the message.
    await end();
    throw error;
  }
}

interface HttpParts {
  readonly options: ServedOptions;
  readonly plane: ControlPlane;
  readonly logger: Logger;
  readonly certificates: Certificates;
  readonly signingKey: string;
  readonly podStreams: PodStreams | undefined;
  readonly metrics: ControllerMetrics;
  readonly serverAddress: () => string;
}

function openHttp({ options, plane, logger, certificates, signingKey, podStreams, metrics, serverAddress }: HttpParts): Server {
  const parts = { key: signingKey, clock: systemClock, api: plane.api };
  const tokens = [openTokenVerifier(parts), openSecretTokenVerifier(parts)];
  const discovery = new Discovery({ serverAddress });
  let loaded: ReturnType<typeof loadDescriptions> | undefined;
  const descriptions = () => (loaded ??= loadDescriptions());
  const authorizer = openRbacAuthorizer(plane.api);
  return openServer({
    api: withReviews(plane.api, { authorizer, tokens, clock: systemClock }),
    discovery,
    openapi: new OpenApi({ discovery, gitVersion: KUBERNETES_VERSION, descriptions }),
    descriptions,
    kindOf: (r) => findKind(r.group, r.version, r.plural),
    clock: systemClock, ids: systemIds, logger,
    authenticator: openAuthenticator({ tokens, anonymous: true }),
    authorizer,
    impersonator: impersonate,
    tls: { certificate: certificates.server.certificate, key: certificates.server.key, clientAuthority: certificates.authority.certificate },
    version: { gitVersion: KUBERNETES_VERSION, gitCommit: "", buildDate: "1970-01-01T00:00:00Z" },
    metrics: [() => metrics.text()],
    documents: openIdRoutes({ key: signingKey, serverAddress }),
    connects: new Map([...podConnects({ api: plane.api, clock: systemClock, streams: podStreams }), ...proxyConnects({ api: plane.api, streams: podStreams })]),
    ...(options.auditLogPath !== undefined && { audit: openAuditLog(options.auditLogPath) }),
  });
}

async function listen(server: Server, port: number): Promise<{ readonly url: string; readonly port: number }> {
  try {
    return await server.listen(port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") throw new UsageError(`port ${port} is in use by another program. --port N names another one, --port 0 picks a free one`);
    if (code === "EACCES") throw new UsageError(`port ${port} may not be opened by this user. --port N names another one, --port 0 picks a free one`);
    throw new Error(`can't listen on port ${port}: ${message}`, { cause: error });
  }
}

/** A log that can't be written is told of before anything is served, not with the first request. */
async function checkAuditLog(path: string): Promise<void> {
  await appendFile(path, "", { mode: 0o600 }).catch((error: unknown) => {
    throw new UsageError(`can't write the audit log ${path}: ${fileErrorText(error)}. Name another place with --audit-log FILE`);
  });
}

async function writeKubeconfig(path: string, text: string): Promise<string> {
  const file = resolve(path);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await chmod(`${file}.new`, 0o600);
    await rename(`${file}.new`, file);
  } catch (error) {
    throw new UsageError(`can't write the kubeconfig ${file}: ${fileErrorText(error)}. Name another place with --kubeconfig FILE`);
  }
  return file;
}
