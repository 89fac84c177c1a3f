/**
 * Subresources that are more than a write of the object itself, as data beside the table of kinds. Those that are (status, finalize, resize …)
 * are the kinds' own `subresources`.
 */
import type { ApiAnswer } from "../../api/request.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Call, Registry } from "../call.ts";
import { createBinding, createCollectionBinding } from "./binding.ts";
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

/** Resources of which nothing is kept, that stand for a subresource of another: by `group/plural`. */
const virtual: Readonly<Record<string, CreateSubresource>> = {
  "/bindings": createCollectionBinding,
};

export const createOf = (group: string, plural: string, subresource: string): CreateSubresource | undefined => creates[`${group}/${plural}/${subresource}`];

export const virtualCreateOf = (group: string, plural: string): CreateSubresource | undefined => virtual[`${group}/${plural}`];
