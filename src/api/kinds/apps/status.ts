/**
 * What the status of a kind that counts pods may say, as tables: counts that are not negative, and counts that are part of another.
 * Follows kubernetes pkg/apis/apps/validation/validation.go (Validate…Status, Validate…StatusUpdate).
 */
import { invalidValue } from "../../field-error.ts";
import type { KubeObject } from "../../object.ts";
import { type Errors, nonNegative } from "../../validation/fields.ts";

export interface Counts {
  readonly counts: readonly string[];
  /** None is greater than `replicas`. */
  readonly parts?: readonly string[];
  /** How `availableReplicas` is told that it is greater than `readyReplicas`. */
  readonly ready?: string;
}

export const REPLICA_COUNTS: Counts = {
  counts: ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration", "terminatingReplicas"],
  parts: ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
  ready: "readyReplicas",
};
export const DEPLOYMENT_COUNTS: Counts = {
  counts: ["observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount"],
  parts: ["updatedReplicas", "readyReplicas", "availableReplicas"],
  ready: "readyReplicas",
};
export const STATEFUL_COUNTS: Counts = {
  counts: ["replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "observedGeneration", "collisionCount"],
  parts: ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
  ready: "status.readyReplicas",
};
export const DAEMON_COUNTS: Counts = {
  counts: ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount"],
};

type Status = Readonly<Record<string, unknown>>;

const statusOf = (o: KubeObject): Status => (o as KubeObject & { readonly status?: Status }).status ?? {};

export const validateCounts = ({ counts, parts = [], ready }: Counts) => (out: Errors, o: KubeObject, old: KubeObject): void => {
  const status = statusOf(o);
  const count = (key: string): number => Number(status[key] ?? 0);
  for (const key of counts) nonNegative(out, `status.${key}`, count(key));
  for (const key of parts) if (count(key) > count("replicas")) out.push(invalidValue(`status.${key}`, count(key), "cannot be greater than status.replicas"));
  if (ready !== undefined && count("availableReplicas") > count("readyReplicas")) out.push(invalidValue("status.availableReplicas", count("availableReplicas"), `cannot be greater than ${ready}`));
  const before = counts.includes("collisionCount") ? statusOf(old)["collisionCount"] : undefined;
  if (before !== undefined && (status["collisionCount"] === undefined || count("collisionCount") < Number(before))) out.push(invalidValue("status.collisionCount", count("collisionCount"), "cannot be decremented"));
};
