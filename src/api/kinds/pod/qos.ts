/**
 * The quality-of-service class of a pod. Follows kubernetes pkg/apis/core/helper/qos/qos.go.
 */
import type { Container, PodSpec } from "../../generated/types.ts";
import { compareQuantities, quantitySign } from "../../quantity.ts";
import { addQuantities } from "../../quantity.ts";

type Resources = Readonly<Record<string, string | number>>;
const COUNTED = ["cpu", "memory"];

function collect(into: Record<string, string | number>, from: Resources | undefined): Set<string> {
  const found = new Set<string>();
  for (const name of COUNTED) {
    const value = from?.[name];
    if (value === undefined || quantitySign(value) <= 0) continue;
    found.add(name);
    into[name] = name in into ? addQuantities(into[name] ?? 0, value) : value;
  }
  return found;
}

/** Guaranteed: every container has limits of cpu and memory that equal its requests; BestEffort: no container has either; else Burstable. */
export function qosClassOf(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  const requests: Record<string, string | number> = {};
  const limits: Record<string, string | number> = {};
  let guaranteed = true;
  const holders: readonly Pick<Container, "resources">[] = hasPodResources(spec) ? [{ ...(spec.resources && { resources: spec.resources }) }] : [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  for (const c of holders) {
    collect(requests, c.resources?.requests);
    if (collect(limits, c.resources?.limits).size < COUNTED.length) guaranteed = false;
  }
  if (Object.keys(requests).length === 0 && Object.keys(limits).length === 0) return "BestEffort";
  if (guaranteed && Object.keys(requests).length === Object.keys(limits).length && Object.entries(requests).every(([name, value]) => compareQuantities(limits[name], value) === 0)) return "Guaranteed";
  return "Burstable";
}

const hasPodResources = (spec: PodSpec): boolean => spec.resources !== undefined;
