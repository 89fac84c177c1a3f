/**
 * /healthz, /livez and /readyz: checks by name, `verbose`, `exclude`. Follows kubernetes staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go.
 */
import { type Answer, type HttpRequest, pageNotFound, textAnswer } from "./exchange.ts";

export interface HealthCheck {
  readonly name: string;
  /** undefined: fine; otherwise what is wrong. */
  readonly check: () => string | undefined;
}

const ROOTS = ["healthz", "livez", "readyz"] as const;

const fine = (name: string): HealthCheck => ({ name, check: () => undefined });

/** What upstream's endpoints all check. Log and store are in this process: they are well when it answers. */
export const ALWAYS: readonly HealthCheck[] = [fine("ping"), fine("log"), fine("etcd")];

/** undefined: the path is none of these. `checks` by endpoint. */
export function healthAnswer(request: HttpRequest, checks: Readonly<Record<(typeof ROOTS)[number], readonly HealthCheck[]>>): Answer | undefined {
  const [, first, second, ...rest] = request.path.replace(/\/$/, "").split("/");
  const root = ROOTS.find((r) => r === first);
  if (!root) return undefined;
  if (rest.length > 0) return pageNotFound();
  if (second === undefined) return rootAnswer(root, checks[root], request.query);
  const one = checks[root].find((c) => c.name === second);
  if (!one) return pageNotFound();
  const wrong = one.check();
  return wrong === undefined ? textAnswer(200, "ok") : textAnswer(500, `internal server error: ${wrong}\n`);
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
