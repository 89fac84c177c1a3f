/**
 * The quality-of-service class of a pod. Follows kubernetes pkg/apis/core/v1/helper/qos (ComputePodQOS).
 */
import type { PodSpec, ResourceRequirements } from "../../api/generated/types.ts";
import { compareQuantities, quantitySign } from "../../api/quantity.ts";

export type QosClass = "BestEffort" | "Burstable" | "Guaranteed";

const RESOURCES = ["cpu", "memory"] as const;

const asks = (r: ResourceRequirements | undefined): boolean =>
  RESOURCES.some((name) => quantitySign(r?.requests?.[name]) > 0 || quantitySign(r?.limits?.[name]) > 0);

const isExact = (r: ResourceRequirements | undefined): boolean =>
  RESOURCES.every((name) => quantitySign(r?.limits?.[name]) > 0 && compareQuantities(r?.requests?.[name] ?? r?.limits?.[name], r?.limits?.[name]) === 0);

export function qosClass(spec: PodSpec): QosClass {
  const all = spec.resources && asks(spec.resources) ? [spec.resources] : [...(spec.initContainers ?? []), ...spec.containers].map((c) => c.resources);
  if (!all.some(asks)) return "BestEffort";
  return all.every(isExact) ? "Guaranteed" : "Burstable";
}
