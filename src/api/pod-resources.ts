/**
 * What a pod asks of a node, as numbers: the one formula that scheduler, agent and quota share.
 * Follows kubernetes staging/src/k8s.io/component-helpers/resource/helpers.go (PodRequests, PodLimits).
 */
import { own } from "../base/own.ts";
import type { Container, PodSpec } from "./generated/types.ts";
import { parseQuantity, quantityMilliValue, quantityValue } from "./quantity.ts";

/** Amounts by resource name: `cpu` in millicores, everything else in its own unit (bytes, pieces). */
export type Amounts = Readonly<Record<string, number>>;

/** A quantity as whole millicores for `cpu`, as whole units for everything else; rounded up. */
export const amountOf = (resource: string, quantity: string | number): number => (resource === "cpu" ? quantityMilliValue(quantity) : quantityValue(quantity));

/** `quantity / divisor` rounded up, as resourceFieldRef has it. A divisor of 0 counts as 1. */
export function quotientOf(quantity: string | number, divisor: string | number): number {
  const by = parseQuantity(divisor)?.nano ?? 0n;
  const nano = parseQuantity(quantity)?.nano ?? 0n;
  const unit = by === 0n ? 1_000_000_000n : by;
  return Number((nano + unit - 1n) / unit);
}

type List = Readonly<Record<string, string | number>> | undefined;
type Kind = "requests" | "limits";

const amounts = (list: List): Amounts => Object.fromEntries(Object.entries(list ?? {}).map(([name, q]) => [name, amountOf(name, q)]));

function merge(a: Amounts, b: Amounts, how: (x: number, y: number) => number): Amounts {
  const sum: Record<string, number> = { ...a };
  for (const [name, value] of Object.entries(b)) sum[name] = how(own(a, name) ?? 0, value);
  return sum;
}

const add = (a: Amounts, b: Amounts): Amounts => merge(a, b, (x, y) => x + y);
const max = (a: Amounts, b: Amounts): Amounts => merge(a, b, Math.max);

/** An init container that runs along with the others. */
export const isSidecar = (container: Pick<Container, "restartPolicy">): boolean => container.restartPolicy === "Always";

function total(spec: PodSpec, kind: Kind): Amounts {
  let running: Amounts = {};
  for (const c of spec.containers) running = add(running, amounts(c.resources?.[kind]));
  let sidecars: Amounts = {};
  let peak: Amounts = {};
  for (const c of spec.initContainers ?? []) {
    const asked = amounts(c.resources?.[kind]);
    if (isSidecar(c)) sidecars = add(sidecars, asked);
    peak = max(peak, isSidecar(c) ? sidecars : add(sidecars, asked));
  }
  const pod = max(add(running, sidecars), peak);
  const ofPod = amounts(spec.resources?.[kind]);
  return { ...pod, ...ofPod };
}

/** Requests of the whole pod, its overhead included. */
export const podRequests = (spec: PodSpec): Amounts => add(total(spec, "requests"), amounts(spec.overhead));

/** Limits of the whole pod; a resource that some container does not limit is still only what the others add up to. */
export const podLimits = (spec: PodSpec): Amounts => total(spec, "limits");
