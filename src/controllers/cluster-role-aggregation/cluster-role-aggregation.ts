/**
 * Writes into ClusterRoles with an aggregationRule the rules of the roles that it selects.
 * Follows kubernetes pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
 */
import { isDeepStrictEqual } from "node:util";
import { WorkQueue } from "../../base/work-queue.ts";
import type { ClusterRole, PolicyRule } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { CLUSTER_ROLES } from "../../api/resource.ts";
import { matchesLabelSelector } from "../../api/selectors.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { Controller, ControllerContext } from "../framework/controller.ts";

const FIELD_MANAGER = "clusterrole-aggregation-controller";

/** The rules that it should have, in the order of the selectors and of the roles' names; undefined when it has them, or aggregates nothing. */
export function decideAggregation(role: Stored<ClusterRole>, all: readonly Stored<ClusterRole>[]): readonly PolicyRule[] | undefined {
  const selectors = role.aggregationRule?.clusterRoleSelectors;
  if (!role.aggregationRule) return undefined;
  const byName = all.filter((r) => r.metadata.name !== role.metadata.name).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const rules: PolicyRule[] = [];
  const seen = new Set<string>();
  for (const selector of selectors ?? []) {
    for (const other of byName) {
      if (!matchesLabelSelector(selector, other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) {
        const text = JSON.stringify(rule);
        if (!seen.has(text)) rules.push(rule);
        seen.add(text);
      }
    }
  }
  return isDeepStrictEqual(rules, role.rules ?? []) ? undefined : rules;
}

/** Makes the controller; it is to be run when the informers are synced. */
export function openClusterRoleAggregationController({ client, informers, clock, logger }: ControllerContext): readonly Controller[] {
  const queue = new WorkQueue({ clock });
  const roles = informers.of(CLUSTER_ROLES);
  const enqueue = () => {
    for (const role of roles.list()) if (role.aggregationRule) queue.add(role.metadata.name);
  };
  roles.on({ onSet: enqueue, onDelete: enqueue });

  async function reconcile(name: string): Promise<void> {
    const role = roles.get(name);
    const rules = role && decideAggregation(role, roles.list());
    if (!rules) return;
    const configuration = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name }, rules };
    try {
      await client.patch(CLUSTER_ROLES, { namespace: "", name }, "apply", configuration, { fieldManager: FIELD_MANAGER, force: true });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return [{ name: "cluster-role-aggregation", queue, workers: 1, reconcile, logger }];
}
