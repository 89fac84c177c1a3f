/** The controllers that a stint runs. */
import type { Resource } from "../api/resource.ts";
import type { Controller, ControllerContext } from "../controllers/framework/controller.ts";
import { openClusterRoleAggregationController } from "../controllers/cluster-role-aggregation/cluster-role-aggregation.ts";
import { openCronJobController } from "../controllers/cronjob/controller.ts";
import { openDisruptionController } from "../controllers/disruption/disruption.ts";
import { openEndpointSliceController } from "../controllers/endpoint-slice/endpoint-slice.ts";
import { openEndpointSliceMirroringController } from "../controllers/endpoint-slice-mirroring/endpoint-slice-mirroring.ts";
import { openEndpointsController } from "../controllers/endpoints/endpoints.ts";
import { openEventTtlController } from "../controllers/event-ttl/event-ttl.ts";
import { openGarbageCollector } from "../controllers/garbage-collector/garbage-collector.ts";
import { openJobController } from "../controllers/job/controller.ts";
import { openNamespaceController } from "../controllers/namespace/namespace.ts";
import { openNodeTtlController } from "../controllers/node-ttl/node-ttl.ts";
import { openPersistentVolumeController } from "../controllers/persistent-volume/persistent-volume.ts";
import { openVolumeProtectionControllers } from "../controllers/persistent-volume/protection.ts";
import { openPodGcController } from "../controllers/pod-gc/pod-gc.ts";
import { openResourceQuotaController } from "../controllers/resource-quota/resource-quota.ts";
import { openRootCaController } from "../controllers/root-ca/root-ca.ts";
import { openServiceAccountController } from "../controllers/service-account/service-account.ts";
import { openServiceAccountTokenController, type SecretTokenSubject } from "../controllers/service-account/tokens.ts";
import { openTtlController } from "../controllers/ttl/ttl.ts";
import type { ControllerMetrics } from "./controller-metrics.ts";

type ContextFor = (component: string) => ControllerContext;

export interface ControllerOptions {
  /** Everything that is stored. */
  readonly resources: readonly Resource[];
  /** PEM of the CA that pods get to know the API server by. */
  readonly certificateAuthority: string;
  /** Signs the token that a Secret of an account holds. */
  readonly issueSecretToken: (subject: SecretTokenSubject) => string;
  /** Where the Job and CronJob controllers count. */
  readonly metrics?: ControllerMetrics;
}

/** What a Job needs to run to its end: for a stint that lives as long as one run. */
export const jobControllers = (context: ContextFor): readonly Controller[] => openJobController(context("job-controller"));

/** What a server does by itself even where nobody controls anything: events end. */
export const serverControllers = (context: ContextFor): readonly Controller[] => openEventTtlController(context("event-ttl-controller"));

/** All of them: for a server that others use. */
export function allControllers(context: ContextFor, options: ControllerOptions): readonly Controller[] {
  const controllers = makeAll(context, options);
  return options.metrics?.watch(controllers) ?? controllers;
}

function makeAll(context: ContextFor, { resources, certificateAuthority, issueSecretToken, metrics }: ControllerOptions): readonly Controller[] {
  return [
    ...openJobController(context("job-controller"), { ...(metrics && { metrics: metrics.job }) }),
    ...openServiceAccountController(context("serviceaccount-controller")),
    ...openServiceAccountTokenController(context("tokens-controller"), { certificateAuthority, issue: issueSecretToken }),
    openCronJobController(context("cronjob-controller"), { ...(metrics && { metrics: metrics.cronJob }) }),
    ...openGarbageCollector(context("garbage-collector-controller"), { resources }),
    ...openNamespaceController(context("namespace-controller"), { resources: resources.filter((r) => r.namespaced) }),
    ...openTtlController(context("ttl-after-finished-controller")),
    ...openPersistentVolumeController(context("persistentvolume-controller")),
    ...openVolumeProtectionControllers(context("volume-protection-controller")),
    ...openPodGcController(context("pod-garbage-collector")),
    ...openEndpointsController(context("endpoint-controller")),
    ...openEndpointSliceController(context("endpoint-slice-controller")),
    ...openEndpointSliceMirroringController(context("endpoint-slice-mirroring-controller")),
    ...openResourceQuotaController(context("resourcequota-controller"), { resources }),
    ...openDisruptionController(context("controllermanager"), { resources }),
    ...serverControllers(context),
    ...openClusterRoleAggregationController(context("clusterrole-aggregation-controller")),
    ...openNodeTtlController(context("ttl-controller")),
    ...openRootCaController(context("root-ca-cert-publisher"), { certificate: certificateAuthority }),
  ];
}
