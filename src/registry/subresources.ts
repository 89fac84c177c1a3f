/**
 * The seam of subresources that are more than a write of the object itself: whoever serves them is passed in. Those that are one (status, finalize,
 * resize …) are the kinds' own `subresources`.
 */
import { own } from "../base/own.ts";
import type { KubeObject } from "../api/object.ts";
import type { ApiAnswer } from "../api/request.ts";
import type { Resource } from "../api/resource.ts";
import type { Call, Registry } from "./call.ts";

/** What a POST to a subresource does. */
export type CreateSubresource = (r: Registry, call: Call, object: KubeObject) => Promise<Omit<ApiAnswer, "warnings">>;

/** Where the objects of a resource go of which nothing is kept: to a subresource of the object that has their name. */
export interface StandIn {
  readonly resource: Resource;
  readonly subresource: string;
}

/** By `group/plural/subresource`. */
export type CreateSubresources = Readonly<Record<string, CreateSubresource>>;

/** By `group/plural`. */
export type StandIns = Readonly<Record<string, StandIn>>;

/** Of a table by `group/plural` or `group/plural/subresource`, what is under `path`. */
export const found = <T>(table: Readonly<Record<string, T>>, ...path: readonly string[]): T | undefined => {
  const key = path.join("/");
  return own(table, key);
};
