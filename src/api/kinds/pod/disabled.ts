/**
 * Fields of features that are off: they are dropped before anything looks at them. Nothing stored ever has one.
 * Follows kubernetes pkg/api/pod/util.go (DropDisabledPodFields, DropDisabledTemplateFields) with the feature gates of 1.36.
 */
import type { PodSpec, PodStatus, PodTemplateSpec } from "../../generated/types.ts";
import type { Draft } from "../kind.ts";
import { containersWithPath } from "./visit.ts";

function dropStopSignals(spec: Draft<PodSpec>): void {
  for (const [container] of containersWithPath(spec, "")) {
    const c = container as Draft<typeof container>;
    if (c.lifecycle?.stopSignal === undefined) continue;
    const { stopSignal: _signal, ...lifecycle } = c.lifecycle;
    if (Object.keys(lifecycle).length > 0) c.lifecycle = lifecycle;
    else delete c.lifecycle;
  }
}

/** ContainerStopSignals, ClusterTrustBundleProjection, PodCertificateRequest, GenericWorkload. */
export function dropDisabledFields(spec: Draft<PodSpec> | undefined): void {
  if (!spec) return;
  dropStopSignals(spec);
  for (const source of (spec.volumes ?? []).flatMap((v) => v.projected?.sources ?? [])) {
    delete source.clusterTrustBundle;
    delete source.podCertificate;
  }
  delete spec.schedulingGroup;
}

export const dropDisabledTemplateFields = (template: Draft<PodTemplateSpec> | undefined): void => dropDisabledFields(template?.spec);

/** ImageVolumeWithDigest, DRANodeAllocatableResources. */
export function dropDisabledStatusFields(status: Draft<PodStatus> | undefined): void {
  if (!status) return;
  delete status.nodeAllocatableResourceClaimStatuses;
  for (const list of [status.containerStatuses, status.initContainerStatuses, status.ephemeralContainerStatuses]) {
    for (const mount of (list ?? []).flatMap((c) => c.volumeMounts ?? [])) delete mount.volumeStatus;
  }
}
