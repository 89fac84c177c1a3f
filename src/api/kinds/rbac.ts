/**
 * The kinds Role, ClusterRole, RoleBinding and ClusterRoleBinding. Who may grant what is the authorizer's business.
 * Follows kubernetes pkg/apis/rbac/validation/validation.go and pkg/apis/rbac/v1/defaults.go.
 */
import type { Instant } from "../../base/clock.ts";
import { invalidValue, required } from "../field-error.ts";
import type { ClusterRole, ClusterRoleBinding, ObjectMeta, PolicyRule, Subject, Role, RoleBinding, RoleRef } from "../generated/types.ts";
import { pathSegmentName, subdomainName } from "../names.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../object-meta.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, type Resource } from "../resource.ts";
import { type Errors, reasons, semanticallyEqual, unsupported } from "../validation/fields.ts";
import { selectorParses, validateLabelSelector } from "../validation/labels.ts";
import { defineKind } from "./define.ts";
import type { Cell, Draft, Kind } from "./kind.ts";
import { ageCell } from "./printing.ts";

export const RBAC_GROUP = "rbac.authorization.k8s.io";
const ROLES: Resource<Role> = { group: RBAC_GROUP, version: "v1", plural: "roles", kind: "Role", namespaced: true };
const ROLE_BINDINGS: Resource<RoleBinding> = { group: RBAC_GROUP, version: "v1", plural: "rolebindings", kind: "RoleBinding", namespaced: true };

function validateRule(out: Errors, field: string, rule: PolicyRule, namespaced: boolean): void {
  if (!rule.verbs?.length) out.push(required(`${field}.verbs`, "verbs must contain at least one value"));
  const urls = rule.nonResourceURLs ?? [];
  if (urls.length > 0) {
    if (namespaced) out.push(invalidValue(`${field}.nonResourceURLs`, urls, "namespaced rules cannot apply to non-resource URLs"));
    if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) out.push(invalidValue(`${field}.nonResourceURLs`, urls, "rules cannot apply to both regular resources and non-resource URLs"));
    return;
  }
  if (!rule.apiGroups?.length) out.push(required(`${field}.apiGroups`, "resource rules must supply at least one api group"));
  if (!rule.resources?.length) out.push(required(`${field}.resources`, "resource rules must supply at least one resource"));
}

const validateRules = (out: Errors, rules: readonly PolicyRule[] | undefined, namespaced: boolean): void => (rules ?? []).forEach((rule, i) => validateRule(out, `rules[${i}]`, rule, namespaced));

const nameAndTime = (o: { readonly metadata: { readonly name?: string; readonly creationTimestamp?: string } }): readonly Cell[] => [o.metadata.name ?? "", o.metadata.creationTimestamp ?? ""];

export const roleKind: Kind<Role> = defineKind<Role>({
  allowCreateOnUpdate: true,
  resource: ROLES,
  schema: "io.k8s.api.rbac.v1.Role",
  printer: { cells: nameAndTime },
  validateName: pathSegmentName,
  validate: (out, o) => validateRules(out, o.rules, true),
  metaOnUpdate: "own",
  validateUpdate(out, o, old) {
    out.push(...metaOf(o, true));
    validateRules(out, o.rules, true);
    out.push(...validateObjectMetaUpdate(o.metadata, old.metadata, true));
  },
});

function validateClusterRole(out: Errors, o: ClusterRole, allowInvalidValues: boolean): void {
  validateRules(out, o.rules, false);
  if (!o.aggregationRule) return;
  const selectors = o.aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) out.push(required("aggregationRule.clusterRoleSelectors", "at least one clusterRoleSelector required if aggregationRule is non-nil"));
  selectors.forEach((selector, i) => {
    const field = `aggregationRule.clusterRoleSelectors[${i}]`;
    validateLabelSelector(out, field, selector, { allowInvalidValues });
    if (!selectorParses(selector)) out.push(invalidValue(field, null, "invalid label selector."));
  });
}

export const clusterRoleKind: Kind<ClusterRole> = defineKind<ClusterRole>({
  allowCreateOnUpdate: true,
  resource: CLUSTER_ROLES,
  schema: "io.k8s.api.rbac.v1.ClusterRole",
  printer: { cells: nameAndTime },
  validateName: pathSegmentName,
  validate: (out, o) => validateClusterRole(out, o, false),
  metaOnUpdate: "own",
  validateUpdate(out, o, old) {
    out.push(...metaOf(o, false));
    validateClusterRole(out, o, (old.aggregationRule?.clusterRoleSelectors ?? []).some((selector) => !selectorParses(selector)));
    out.push(...validateObjectMetaUpdate(o.metadata, old.metadata, true));
  },
});

interface Binding {
  readonly metadata: ObjectMeta;
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[];
}

function applyBindingDefaults(draft: Draft<RoleBinding | ClusterRoleBinding>): void {
  if (draft.roleRef && !draft.roleRef.apiGroup) draft.roleRef.apiGroup = RBAC_GROUP;
  for (const subject of draft.subjects ?? []) {
    if (!subject.apiGroup && (subject.kind === "User" || subject.kind === "Group")) subject.apiGroup = RBAC_GROUP;
  }
}

function validateSubject(out: Errors, field: string, subject: Subject, namespaced: boolean): void {
  if (!subject.name) out.push(required(`${field}.name`));
  const group = subject.apiGroup ?? "";
  if (subject.kind === "ServiceAccount") {
    if (subject.name) reasons(out, `${field}.name`, subject.name, subdomainName(subject.name, false));
    if (group !== "") out.push(unsupported(`${field}.apiGroup`, group, [""]));
    if (!namespaced && !subject.namespace) out.push(required(`${field}.namespace`));
  } else if (subject.kind === "User" || subject.kind === "Group") {
    if (group !== RBAC_GROUP) out.push(unsupported(`${field}.apiGroup`, group, [RBAC_GROUP]));
  } else out.push(unsupported(`${field}.kind`, subject.kind ?? "", ["ServiceAccount", "User", "Group"]));
}

function validateBinding(out: Errors, o: Binding, namespaced: boolean): void {
  const { apiGroup = "", kind, name } = o.roleRef;
  if (apiGroup !== RBAC_GROUP) out.push(unsupported("roleRef.apiGroup", apiGroup, [RBAC_GROUP]));
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (!kinds.includes(kind)) out.push(unsupported("roleRef.kind", kind, kinds));
  if (name === "") out.push(required("roleRef.name"));
  else reasons(out, "roleRef.name", name, pathSegmentName(name, false));
  (o.subjects ?? []).forEach((subject, i) => validateSubject(out, `subjects[${i}]`, subject, namespaced));
}

/** Upstream looks at a new object's metadata, at the object, and then at what of the metadata has changed. */
const metaOf = (o: Binding | Role | ClusterRole, namespaced: boolean) => validateObjectMeta(o.metadata, { namespaced, validateName: pathSegmentName, builtIn: true });

function validateBindingUpdate(out: Errors, o: Binding, old: Binding, namespaced: boolean): void {
  out.push(...metaOf(o, namespaced));
  validateBinding(out, o, namespaced);
  out.push(...validateObjectMetaUpdate(o.metadata, old.metadata, true));
  if (!semanticallyEqual(o.roleRef, old.roleRef)) {
    out.push(invalidValue("roleRef", { APIGroup: o.roleRef?.apiGroup ?? "", Kind: o.roleRef?.kind ?? "", Name: o.roleRef?.name ?? "" }, "cannot change roleRef"));
  }
}

function bindingCells(o: Binding, now: Instant): readonly Cell[] {
  const of = (kind: string) => (o.subjects ?? []).filter((s) => s.kind === kind);
  const names = (kind: string) => of(kind).map((s) => s.name).join(", ");
  const accounts = of("ServiceAccount").map((s) => `${s.namespace ?? ""}/${s.name}`).join(", ");
  return [o.metadata.name ?? "", `${o.roleRef.kind}/${o.roleRef.name}`, ageCell(o, now), names("User"), names("Group"), accounts];
}

export const roleBindingKind: Kind<RoleBinding> = defineKind<RoleBinding>({
  allowCreateOnUpdate: true,
  resource: ROLE_BINDINGS,
  schema: "io.k8s.api.rbac.v1.RoleBinding",
  printer: { cells: bindingCells },
  validateName: pathSegmentName,
  applyDefaults: applyBindingDefaults,
  validate: (out, o) => validateBinding(out, o, true),
  metaOnUpdate: "own",
  validateUpdate: (out, o, old) => validateBindingUpdate(out, o, old, true),
});

export const clusterRoleBindingKind: Kind<ClusterRoleBinding> = defineKind<ClusterRoleBinding>({
  allowCreateOnUpdate: true,
  resource: CLUSTER_ROLE_BINDINGS,
  schema: "io.k8s.api.rbac.v1.ClusterRoleBinding",
  printer: { cells: bindingCells },
  validateName: pathSegmentName,
  applyDefaults: applyBindingDefaults,
  validate: (out, o) => validateBinding(out, o, false),
  metaOnUpdate: "own",
  validateUpdate: (out, o, old) => validateBindingUpdate(out, o, old, false),
});
