/**
 * All containers of a pod, each with where it stands.
 * Follows kubernetes pkg/apis/core/pods/helpers.go (VisitContainersWithPath).
 */
import type { Container, PodSpec } from "../../generated/types.ts";

/** Init containers, then containers, then ephemeral ones. */
export function* containersWithPath(spec: PodSpec, field: string): Generator<readonly [Container, string]> {
  for (const list of ["initContainers", "containers", "ephemeralContainers"] as const) {
    for (const [i, c] of (spec[list] ?? []).entries()) yield [c, `${field}.${list}[${i}]`];
  }
}
