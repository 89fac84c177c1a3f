/** Makes a request smaller for as long as the two servers still answer it differently. */
import type { Sent } from "./endpoint.ts";

type Path = readonly (string | number)[];

const TRIES_MAX = 400;

/** Every place in a tree, the outer before the inner. */
function* places(value: unknown, at: Path = []): Generator<Path> {
  if (typeof value !== "object" || value === null) return;
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  for (const key of keys) {
    yield [...at, key];
    yield* places((value as Record<string | number, unknown>)[key], [...at, key]);
  }
}

/** The tree without what is at `path`; undefined if there is nothing. */
function without(value: unknown, [key, ...rest]: Path): unknown {
  if (typeof value !== "object" || value === null || key === undefined) return undefined;
  const inner = (value as Record<string | number, unknown>)[key];
  if (inner === undefined) return undefined;
  const less = rest.length === 0 ? undefined : without(inner, rest);
  if (rest.length > 0 && less === undefined) return undefined;
  if (Array.isArray(value)) return rest.length === 0 ? value.filter((_, i) => i !== key) : value.map((v: unknown, i) => (i === key ? less : v));
  if (rest.length > 0) return { ...value, [key]: less };
  return Object.fromEntries(Object.entries(value).filter(([k]) => k !== key));
}

/** The least request that `differs` still holds for; `request` itself must differ. */
export async function minimise(request: Sent, differs: (request: Sent) => Promise<boolean>): Promise<Sent> {
  let least = request;
  let tries = 0;
  for (let found = true; found && tries < TRIES_MAX; ) {
    found = false;
    for (const path of places(least.body)) {
      const body = without(least.body, path);
      if (body === undefined || tries++ >= TRIES_MAX) continue;
      if (!(await differs({ ...least, body }))) continue;
      least = { ...least, body };
      found = true;
      break;
    }
  }
  return least;
}
