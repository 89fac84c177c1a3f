/**
 * The seam of admission: an ordered list of plugins, each of which may change a draft and may refuse the result. The plugins are in `admission/`.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/admission (interfaces, NewForbidden).
 */
import type { StatusCause } from "../api/generated/types.ts";
import type { DraftObject } from "../api/kinds/kind.ts";
import type { KubeObject } from "../api/object.ts";
import type { UserInfo } from "../api/request.ts";
import type { Resource } from "../api/resource.ts";
import { forbidden, type StatusError } from "../api/status-error.ts";
import type { Amend } from "./amend.ts";


export type Operation = "CREATE" | "UPDATE" | "DELETE";

/** What is stored now, for those who decide. A kind that is not served has no objects. */
export interface Reader {
  get<T extends object>(resource: Resource<T>, namespace: string, name: string): T | undefined;
  /** `namespace` "" lists all. */
  list<T extends object>(resource: Resource<T>, namespace: string): readonly T[];
}

export interface AdmissionContext {
  readonly operation: Operation;
  readonly resource: Resource;
  readonly subresource: string;
  readonly namespace: string;
  /** "" while it is not known (generateName, before the draft is named). */
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The object as it is stored; undefined on a create. */
  readonly old: KubeObject | undefined;
  readonly reader: Reader;
  /** For what a plugin keeps account of. */
  readonly amend: Amend;
  /** Takes an account back where somebody was faster: the write is tried again, and accounted for again. */
  readonly onLost: (takeBack: () => Promise<unknown>) => void;
  readonly warn: (text: string) => void;
}

export interface AdmissionPlugin {
  readonly name: string;
  /** Creates and updates only. */
  readonly mutate?: (draft: DraftObject, context: AdmissionContext) => void;
  /** Also deletes, with the object that is about to go. */
  readonly validate?: (object: KubeObject, context: AdmissionContext) => void | Promise<void>;
}

export function mutate(plugins: readonly AdmissionPlugin[], draft: DraftObject, context: AdmissionContext): void {
  for (const plugin of plugins) plugin.mutate?.(draft, context);
}

export async function validate(plugins: readonly AdmissionPlugin[], object: KubeObject, context: AdmissionContext): Promise<void> {
  for (const plugin of plugins) {
    const pending = plugin.validate?.(object, context);
    if (pending) await pending;
  }
}

/** A 403 that names the object as well as it can. Follows admission.NewForbidden. */
export function refuse(context: Pick<AdmissionContext, "resource" | "name">, object: Pick<KubeObject, "metadata">, why: string, causes?: readonly StatusCause[]): StatusError {
  const name = context.name || object.metadata.name || object.metadata.generateName || "Unknown";
  return forbidden(context.resource, name, why, causes);
}

/** Whether this is about the resource itself and no part of it. */
export const concerns = (context: AdmissionContext, resource: Resource, ...operations: readonly Operation[]): boolean =>
  context.subresource === "" && context.resource.plural === resource.plural && context.resource.group === resource.group && operations.includes(context.operation);
