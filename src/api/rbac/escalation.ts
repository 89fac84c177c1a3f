/**
 * Nobody gives more than they have: what is missing for a role or a binding to be written. Pure apart from the reader.
 * Follows kubernetes pkg/registry/rbac/validation/rule.go (ConfirmNoEscalation) and pkg/registry/rbac/clusterrole/policybased.
 */
import type { PolicyRule } from "../generated/types.ts";
import type { UserInfo } from "../request.ts";
import { type RoleReader, rulesOf } from "./evaluate.ts";
import { compactRules, missingRules, ruleText } from "./rules.ts";

/** Everything: what an aggregation rule may come to. */
export const FULL_AUTHORITY: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** Why the user may not hand out `wanted`; undefined where they have it all. */
export async function escalationError(user: UserInfo, namespace: string, wanted: readonly PolicyRule[], reader: RoleReader): Promise<string | undefined> {
  const { rules, errors } = await rulesOf(user, namespace, reader);
  const missing = missingRules(rules, wanted);
  if (missing.length === 0) return undefined;
  const texts = [...new Set(compactRules(missing).map(ruleText))].sort();
  const groups = `[${user.groups.map((g) => JSON.stringify(g)).join(" ")}]`;
  const unresolved = errors.length > 0 ? `; resolution errors: [${errors.join(" ")}]` : "";
  return `user ${JSON.stringify(user.name)} (groups=${groups}) is attempting to grant RBAC permissions not currently held:\n${texts.join("\n")}${unresolved}`;
}
