/**
 * Does a rule allow it, does a subject mean this user, do rules cover other rules. Pure.
 * Follows kubernetes pkg/apis/rbac/v1/evaluation_helpers.go, plugin/pkg/auth/authorizer/rbac and component-helpers/auth/rbac/validation (policy_comparator.go).
 */
import type { PolicyRule, Subject } from "../generated/types.ts";
import type { UserInfo } from "../request.ts";
import type { Attributes, PathAttributes, ResourceAttributes } from "./attributes.ts";

const ALL = "*";

const has = (list: readonly string[] | undefined, value: string): boolean => list !== undefined && (list.includes(ALL) || list.includes(value));

/** `jobs`, `jobs/status`, `*`, `*` + `/status`. */
function hasResource({ resources = [] }: PolicyRule, resource: string, subresource: string): boolean {
  const wanted = subresource === "" ? resource : `${resource}/${subresource}`;
  return resources.some((r) => r === ALL || r === wanted || (subresource !== "" && r === `*/${subresource}`));
}

const hasPath = (urls: readonly string[] | undefined, path: string): boolean =>
  urls?.some((url) => url === ALL || url === path || (url.endsWith(ALL) && path.startsWith(url.slice(0, -1)))) ?? false;

const allowsResource = (rule: PolicyRule, { group, resource, subresource, name }: ResourceAttributes): boolean =>
  has(rule.apiGroups, group) && hasResource(rule, resource, subresource) && (!rule.resourceNames?.length || rule.resourceNames.includes(name));

const allowsPath = (rule: PolicyRule, { path }: PathAttributes): boolean => hasPath(rule.nonResourceURLs, path);

export const ruleAllows = (rule: PolicyRule, attributes: Attributes): boolean =>
  has(rule.verbs, attributes.verb) && (attributes.isResource ? allowsResource(rule, attributes) : allowsPath(rule, attributes));

/** Whether a subject of a binding means this user; `namespace` is the binding's own. */
export function subjectIs(subject: Subject, user: UserInfo, namespace: string): boolean {
  if (subject.kind === "User") return subject.name === user.name;
  if (subject.kind === "Group") return user.groups.includes(subject.name);
  const where = subject.namespace || namespace;
  return subject.kind === "ServiceAccount" && where !== "" && user.name === `system:serviceaccount:${where}:${subject.name}`;
}

/** A rule as rules for one verb on one resource (and name) or one path. */
export function breakDown(rule: PolicyRule): PolicyRule[] {
  const names = rule.resourceNames?.length ? rule.resourceNames.map((name) => ({ resourceNames: [name] })) : [{}];
  const ofResources = (rule.apiGroups ?? []).flatMap((group) =>
    (rule.resources ?? []).flatMap((resource) =>
      rule.verbs.flatMap((verb) => names.map((named) => ({ apiGroups: [group], resources: [resource], verbs: [verb], ...named }))),
    ),
  );
  const ofPaths = (rule.nonResourceURLs ?? []).flatMap((url) => rule.verbs.map((verb) => ({ nonResourceURLs: [url], verbs: [verb] })));
  return [...ofResources, ...ofPaths];
}

/** `wanted` is broken down: one of each. */
function ruleCovers(owned: PolicyRule, wanted: PolicyRule): boolean {
  const covered = (list: readonly string[] | undefined, values: readonly string[] | undefined) => (values ?? []).every((v) => has(list, v));
  const coveredPath = (url: string) => (owned.nonResourceURLs ?? []).some((u) => u === ALL || u === url || (u.endsWith(ALL) && url.startsWith(u.slice(0, -1))));
  const resources = (wanted.resources ?? []).every((r) => {
    const [resource = "", subresource = ""] = r.split("/");
    return hasResource(owned, resource, subresource);
  });
  const names = !owned.resourceNames?.length || ((wanted.resourceNames?.length ?? 0) > 0 && (wanted.resourceNames ?? []).every((n) => owned.resourceNames?.includes(n)));
  return covered(owned.verbs, wanted.verbs) && covered(owned.apiGroups, wanted.apiGroups) && resources && names && (wanted.nonResourceURLs ?? []).every(coveredPath);
}

/** The part of `wanted`, broken down, that nothing in `owned` covers. */
export const missingRules = (owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] =>
  wanted.flatMap(breakDown).filter((rule) => !owned.some((o) => ruleCovers(o, rule)));

/** Puts the verbs of equal resources together again. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const simple = new Map<string, PolicyRule>();
  const others: PolicyRule[] = [];
  for (const rule of rules) {
    const one = rule.apiGroups?.length === 1 && rule.resources?.length === 1 && !rule.nonResourceURLs?.length && (rule.resourceNames?.length ?? 0) <= 1;
    if (!one) {
      others.push(rule);
      continue;
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames ?? []]);
    const known = simple.get(key);
    simple.set(key, known ? { ...known, verbs: [...known.verbs, ...rule.verbs.filter((v) => !known.verbs.includes(v))] } : rule);
  }
  return [...simple.values(), ...others];
}

const goList = (values: readonly string[]): string => `[${values.map((v) => JSON.stringify(v)).join(" ")}]`;

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function ruleText({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const parts = { APIGroups: apiGroups, Resources: resources, NonResourceURLs: nonResourceURLs, ResourceNames: resourceNames, Verbs: verbs };
  return `{${Object.entries(parts).flatMap(([name, values]) => (values?.length ? [`${name}:${goList(values)}`] : [])).join(", ")}}`;
}
