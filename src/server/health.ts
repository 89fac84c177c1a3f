/**
 * /healthz, /livez and /readyz: checks by name, `verbose`, `exclude`. Follows kubernetes staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go.
 */
import { type Answer, type HttpRequest, pageNotFound, TEXT_PLAIN, textAnswer } from "./exchange.ts";

export interface HealthCheck {
  readonly name: string;
  /** undefined: fine; otherwise what is wrong. */
  readonly check: () => string | undefined;
}

const ROOTS = ["healthz", "livez", "readyz"] as const;

/** What kube-apiserver starts before it answers, by the names that monitoring asks for. Here all of it is done before the server listens. */
const STARTED = [
  "start-apiserver-admission-initializer", "generic-apiserver-start-informers", "priority-and-fairness-config-consumer", "priority-and-fairness-filter", "storage-object-count-tracker-hook",
  "start-apiextensions-informers", "start-apiextensions-controllers", "crd-informer-synced", "start-system-namespaces-controller", "peer-endpoint-reconciler-controller",
  "start-cluster-authentication-info-controller", "start-kube-apiserver-identity-lease-controller", "start-kube-apiserver-identity-lease-garbage-collector", "storage-readiness",
  "start-legacy-token-tracking-controller", "start-service-ip-repair-controllers", "rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes", "priority-and-fairness-config-producer",
  "bootstrap-controller", "start-kubernetes-service-cidr-controller", "start-kube-aggregator-informers", "apiservice-status-local-available-controller",
  "apiservice-status-remote-available-controller", "apiservice-registration-controller", "apiservice-discovery-controller", "kube-apiserver-autoregistration",
].map((name) => `poststarthook/${name}`);
const REGISTERED = ["autoregister-completion", "poststarthook/apiservice-openapi-controller", "poststarthook/apiservice-openapiv3-controller"];

const fine = (names: readonly string[]): HealthCheck[] => names.map((name) => ({ name, check: () => undefined }));

export type HealthChecks = Readonly<Record<(typeof ROOTS)[number], readonly HealthCheck[]>>;

/** The checks of each endpoint in upstream's order; `readiness` come last. */
export function healthChecks(readiness: readonly HealthCheck[]): HealthChecks {
  const alive = fine(["ping", "log", "loopback-serving-certificate", "etcd", ...STARTED, ...REGISTERED]);
  return { healthz: alive, livez: alive, readyz: [...fine(["ping", "log", "etcd", "etcd-readiness", "informer-sync", ...STARTED, ...REGISTERED, "shutdown"]), ...readiness] };
}

/** Every path that `healthAnswer` answers. */
export const healthPaths = (checks: HealthChecks): readonly string[] => ROOTS.flatMap((root) => [`/${root}`, ...checks[root].map(({ name }) => `/${root}/${name}`)]);

/** undefined: the path is none of these. */
export function healthAnswer(request: HttpRequest, checks: HealthChecks): Answer | undefined {
  const [, first = "", ...rest] = request.path.split("/");
  const root = ROOTS.find((r) => r === first);
  if (!root) return undefined;
  if (rest.length === 0) return rootAnswer(root, checks[root], request.query);
  const one = checks[root].find((c) => c.name === rest.join("/"));
  if (!one) return pageNotFound();
  const wrong = one.check();
  return wrong === undefined ? { status: 200, headers: { "content-type": TEXT_PLAIN }, body: "ok" } : textAnswer(500, `internal server error: ${wrong}\n`);
}

function rootAnswer(root: string, checks: readonly HealthCheck[], query: URLSearchParams): Answer {
  const excluded = new Set(query.getAll("exclude"));
  let failed = false;
  const lines = checks.map(({ name, check }) => {
    if (excluded.delete(name)) return `[+]${name} excluded: ok`;
    const wrong = check();
    if (wrong === undefined) return `[+]${name} ok`;
    failed = true;
    return `[-]${name} failed: reason withheld`;
  });
  if (excluded.size > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${[...excluded].map((n) => JSON.stringify(n)).join(",")}`);
  if (failed) return textAnswer(500, `${lines.join("\n")}\n${root} check failed\n`);
  return textAnswer(200, query.has("verbose") ? `${lines.join("\n")}\n${root} check passed\n` : "ok");
}
