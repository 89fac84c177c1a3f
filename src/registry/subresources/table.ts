/**
 * Subresources that are more than a write of the object itself, as data beside the table of kinds. Those that are (status, finalize, resize …)
 * are the kinds' own `subresources`.
 */
import type { ApiAnswer } from "../../api/request.ts";
import type { KubeObject } from "../../api/object.ts";
import { PODS, type Resource } from "../../api/resource.ts";
import type { Call, Registry } from "../call.ts";
import { createBinding } from "./binding.ts";
import { createEviction } from "./eviction.ts";
import { createToken, type TokenIssuer } from "./token.ts";

export interface SubresourcePorts {
  readonly tokens: TokenIssuer | undefined;
}

export type CreateSubresource = (r: Registry, call: Call, object: KubeObject, ports: SubresourcePorts) => Promise<Omit<ApiAnswer, "warnings">>;

/** By `group/plural/subresource`. */
const creates: Readonly<Record<string, CreateSubresource>> = {
  "/pods/binding": createBinding,
  "/pods/eviction": createEviction,
  "/serviceaccounts/token": createToken,
};

/** Resources of which nothing is kept: a POST to their collection is one to a subresource of the object of that name. By `group/plural`. */
const standIns: Readonly<Record<string, { readonly resource: Resource; readonly subresource: string }>> = {
  "/bindings": { resource: PODS, subresource: "binding" },
};

export const createOf = (group: string, plural: string, subresource: string): CreateSubresource | undefined => creates[`${group}/${plural}/${subresource}`];

export const standInOf = (group: string, plural: string) => standIns[`${group}/${plural}`];
