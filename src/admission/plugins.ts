/**
 * The plugins of admission in upstream's order. Follows kubernetes pkg/kubeapiserver/options/plugins.go (AllOrderedPlugins).
 */
import type { Ids } from "../base/chance.ts";
import type { Clock } from "../base/clock.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { certificateRequests } from "./certificate-requests.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { podResize } from "./pod-resize.ts";
import { podSecurity } from "./pod-security.ts";
import { priorityAdmission } from "./priority.ts";
import { resourceQuotaAdmission } from "./resource-quota.ts";
import { runtimeClassAdmission } from "./runtime-class.ts";
import { serviceAccountAdmission } from "./service-account.ts";
import { claimResize, defaultStorageClass } from "./storage-classes.ts";
import { storageProtection, volumePhases } from "./storage-protection.ts";

export const defaultAdmission = ({ ids, clock }: { readonly ids: Ids; readonly clock: Clock }): readonly AdmissionPlugin[] => [
  namespaceLifecycle,
  limitRanger,
  serviceAccountAdmission(ids),
  podSecurity,
  priorityAdmission,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageProtection,
  volumePhases(clock),
  claimResize,
  runtimeClassAdmission,
  certificateRequests(clock),
  podResize,
  resourceQuotaAdmission(clock),
];
