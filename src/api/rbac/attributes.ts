/** What an authoriser is asked about: who wants to do what to what. Plain data. */
import type { UserInfo } from "../request.ts";

export interface ResourceAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly isResource: true;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** "" for the object itself. */
  readonly subresource: string;
  /** "" for cluster scope and for all namespaces. */
  readonly namespace: string;
  readonly name: string;
}

export interface PathAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly isResource: false;
  readonly path: string;
}

export type Attributes = ResourceAttributes | PathAttributes;

export interface Decision {
  readonly allowed: boolean;
  /** Why; may be "". */
  readonly reason: string;
}

/** Members may do everything, whatever roles say. */
export const MASTERS = "system:masters";
