/**
 * What the printers of several kinds share: ages, names of containers, access modes.
 * Follows kubernetes pkg/printers/internalversion/printers.go.
 */
import type { Instant } from "../../base/clock.ts";
import { humanDuration } from "../duration.ts";
import type { PodTemplateSpec } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import { parseTime } from "../time.ts";
import type { Cell } from "./kind.ts";

/** The cells of one row. */
export type Cells<T> = (object: T, now: Instant) => readonly Cell[];

/** For the table of kinds; each is only ever given objects of its kind. */
export const printer = <T>(cells: Cells<T>): { readonly cells: Cells<KubeObject> } => ({ cells: cells as unknown as Cells<KubeObject> });

export const nameOf = ({ metadata }: { readonly metadata: { readonly name?: string } }): string => metadata.name ?? "";

/** `5m`, or `<unknown>` without a time. */
export function ageOf(time: string | null | undefined, now: Instant): string {
  const at = parseTime(time);
  return at === undefined ? "<unknown>" : humanDuration(now - at);
}

export const ageCell = (object: { readonly metadata: { readonly creationTimestamp?: string } }, now: Instant): string => ageOf(object.metadata.creationTimestamp, now);

/** The names and the images of a template's containers, comma-separated. */
export function containerCells(template: PodTemplateSpec | undefined): readonly [string, string] {
  const containers = template?.spec?.containers ?? [];
  return [containers.map((c) => c.name).join(","), containers.map((c) => c.image ?? "").join(",")];
}

/** `a=b,c=d` with sorted keys, `<none>` when there are none. Follows labels.FormatLabels. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`).sort();
  return pairs.length === 0 ? "<none>" : pairs.join(",");
}
