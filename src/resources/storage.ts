/**
 * What certain resources have beyond the generic storage of the registry, as the tables that it takes: subresources that are created, resources of
 * which nothing is kept, and what is given to one object only. Follows kubernetes pkg/registry/core/rest/storage_core.go.
 */
import { PODS, qualifiedPlural, SERVICES } from "../api/resource.ts";
import type { RegistryDeps } from "../registry/registry.ts";
import { createBinding } from "./pods/binding.ts";
import { createEviction } from "./pods/eviction.ts";
import { openServiceAllocator } from "./services/allocator.ts";

/** `serviceNetwork`: the range of the Services' addresses; left out: 10.96.0.0/16. */
export function resourceStorage(serviceNetwork?: string): Required<Pick<RegistryDeps, "subresources" | "standIns" | "allocators">> {
  return {
    subresources: { "/pods/binding": createBinding, "/pods/eviction": createEviction },
    standIns: { "/bindings": { resource: PODS, subresource: "binding" } },
    allocators: { [qualifiedPlural(SERVICES)]: openServiceAllocator(serviceNetwork) },
  };
}
