/**
 * The seam of allocation: objects that are given something that no other object may have. What is given away is read off the stored objects, so
 * nothing has to be released when one goes; what a request in flight has taken is held until the request is answered.
 */
import type { Ids } from "../base/chance.ts";
import type { DraftObject } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import type { Reader } from "./admission.ts";

export interface AllocationContext {
  readonly reader: Reader;
  readonly ids: Ids;
  readonly dryRun: boolean;
}

/** Lets go of what is held for a request: it is stored now, or given up. */
export type Release = () => void;

export interface Allocator {
  /** Before a new object or an update of one is prepared and validated. Throws StatusError where what is asked for can't be had. */
  allocate(draft: DraftObject, old: KubeObject | undefined, context: AllocationContext): Release;
}

/** By `plural` or `plural.group`. */
export type Allocators = Readonly<Record<string, Allocator>>;

export const nothingHeld: Release = () => undefined;
