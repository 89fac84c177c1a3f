/**
 * Kinds whose objects are given something that no other object may have, as data beside the table of kinds. What is given away is read off the
 * stored objects, so nothing has to be released when one goes; what a request in flight has taken is held until the request is answered.
 */
import type { Ids } from "../../base/chance.ts";
import type { DraftObject } from "../../api/kinds/kind.ts";
import type { KubeObject } from "../../api/object.ts";
import { qualifiedPlural, SERVICES, type Resource } from "../../api/resource.ts";
import type { Reader } from "../admission.ts";
import { openServiceAllocator } from "./services.ts";

export interface AllocationContext {
  readonly reader: Reader;
  readonly ids: Ids;
  readonly dryRun: boolean;
}

/** Lets go of what is held for a request: it is stored now, or given up. */
export type Release = () => void;

export interface Allocator {
  /** Before a new object is prepared and validated, and between the two of an update. Throws StatusError where what is asked for can't be had. */
  allocate(draft: DraftObject, old: KubeObject | undefined, context: AllocationContext): Release;
}

export type Allocators = (resource: Resource) => Allocator | undefined;

/** `serviceNetwork`: the range of the Services' addresses, where it isn't the usual one. */
export function openAllocators(serviceNetwork?: string): Allocators {
  const allocators: Readonly<Record<string, Allocator>> = { [qualifiedPlural(SERVICES)]: openServiceAllocator(serviceNetwork) };
  return (resource) => allocators[qualifiedPlural(resource)];
}

export const nothingHeld: Release = () => undefined;
