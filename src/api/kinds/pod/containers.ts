/**
 * Containers of a pod: app, init and ephemeral ones.
 * Follows kubernetes pkg/apis/core/validation (validateContainers, validateInitContainers, validateEphemeralContainers, validateContainerCommon).
 */
import { duplicate, fieldNotFound, forbiddenField, invalidValue, required, tooMany } from "../../field-error.ts";
import type { Container, ContainerPort, EphemeralContainer, PodSpec } from "../../generated/types.ts";
import { isDns1123Label, isValidPortName, isValidPortNumber } from "../../names.ts";
import { type Errors, reasons, unsupported } from "../../validation/fields.ts";
import { validateEnv, validateEnvFrom } from "./env.ts";
import { type MountableVolumes, validateVolumeDevices, validateVolumeMounts } from "./mounts.ts";
import { validateLifecycle, validateProbe } from "./probes.ts";
import { validateResourceRequirements } from "./resources.ts";
import { validateSecurityContext } from "./security.ts";

export interface PodContext {
  readonly spec: PodSpec;
  readonly volumes: MountableVolumes;
  readonly claims: ReadonlySet<string>;
  readonly hostUsers: boolean;
  /** A real Pod, not a template. */
  readonly isPod: boolean;
}

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const RESTART_POLICIES = ["Always", "Never", "OnFailure"];
const RESTART_ACTIONS = ["Restart", "RestartAllContainers"];
const EXIT_CODE_OPERATORS = ["In", "NotIn"];
const RESTART_RULES_MAX = 20;
const EXIT_CODES_MAX = 255;
const RULES_NEED_POLICY = "must specify restartPolicy when restart rules are used";

function validatePorts(out: Errors, field: string, ports: readonly ContainerPort[] | undefined): void {
  const names = new Set<string>();
  (ports ?? []).forEach((port, i) => {
    const at = `${field}[${i}]`;
    if (port.name) {
      const texts = isValidPortName(port.name);
      reasons(out, `${at}.name`, port.name, texts);
      if (texts.length === 0 && names.has(port.name)) out.push(duplicate(`${at}.name`, port.name));
      else if (texts.length === 0) names.add(port.name);
    }
    if (!port.containerPort) out.push(required(`${at}.containerPort`));
    else reasons(out, `${at}.containerPort`, port.containerPort, isValidPortNumber(port.containerPort));
    if (port.hostPort) reasons(out, `${at}.hostPort`, port.hostPort, isValidPortNumber(port.hostPort));
    if (!port.protocol) out.push(required(`${at}.protocol`));
    else if (!PROTOCOLS.includes(port.protocol)) out.push(unsupported(`${at}.protocol`, port.protocol, PROTOCOLS));
  });
}

function oneOf(out: Errors, field: string, value: string | undefined, listed: readonly string[]): void {
  if (!value) out.push(required(field));
  else if (!listed.includes(value)) out.push(unsupported(field, value, listed));
}

function validateResizePolicy(out: Errors, field: string, c: Container, podRestartPolicy: string | undefined): void {
  const seen = new Set<string>();
  (c.resizePolicy ?? []).forEach((p, i) => {
    if (seen.has(p.resourceName)) out.push(duplicate(`${field}[${i}]`, p.resourceName));
    seen.add(p.resourceName);
    oneOf(out, field, p.resourceName, ["cpu", "memory"]);
    oneOf(out, field, p.restartPolicy, ["NotRequired", "RestartContainer"]);
    if (podRestartPolicy === "Never" && p.restartPolicy !== "NotRequired") out.push(invalidValue(field, p.restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
  });
}

function validateRestartRules(out: Errors, field: string, c: Container): void {
  if (c.restartPolicy !== undefined && !RESTART_POLICIES.includes(c.restartPolicy)) out.push(unsupported(`${field}.restartPolicy`, c.restartPolicy, RESTART_POLICIES));
  const rules = c.restartPolicyRules ?? [];
  if (rules.length > 0 && c.restartPolicy === undefined) out.push(required(`${field}.restartPolicy`, RULES_NEED_POLICY));
  if (rules.length > RESTART_RULES_MAX) out.push(tooMany(`${field}.restartPolicyRules`, rules.length, RESTART_RULES_MAX));
  rules.forEach((rule, i) => {
    const at = `${field}.restartPolicyRules[${i}]`;
    if (!RESTART_ACTIONS.includes(rule.action)) out.push(unsupported(`${at}.action`, rule.action ?? "", RESTART_ACTIONS));
    if (!rule.exitCodes) {
      out.push(required(`${at}.exitCodes`, "must be specified"));
      return;
    }
    if (!EXIT_CODE_OPERATORS.includes(rule.exitCodes.operator)) out.push(unsupported(`${at}.exitCodes.operator`, rule.exitCodes.operator ?? "", EXIT_CODE_OPERATORS));
    const values = rule.exitCodes.values ?? [];
    if (values.length > EXIT_CODES_MAX) out.push(tooMany(`${at}.exitCodes.values`, values.length, EXIT_CODES_MAX));
  });
}

/** What all three kinds of containers have in common. */
function validateCommon(out: Errors, field: string, c: Container, pod: PodContext): void {
  if (!c.name) out.push(required(`${field}.name`));
  else reasons(out, `${field}.name`, c.name, isDns1123Label(c.name));
  if (!c.image) out.push(required(`${field}.image`));
  oneOf(out, `${field}.terminationMessagePolicy`, c.terminationMessagePolicy, MESSAGE_POLICIES);
  validatePorts(out, `${field}.ports`, c.ports);
  validateEnv(out, `${field}.env`, c.env);
  validateEnvFrom(out, `${field}.envFrom`, c.envFrom);
  validateVolumeMounts(out, `${field}.volumeMounts`, c, pod.volumes);
  validateVolumeDevices(out, `${field}.volumeDevices`, c, pod.volumes);
  oneOf(out, `${field}.imagePullPolicy`, c.imagePullPolicy, PULL_POLICIES);
  validateResourceRequirements(out, `${field}.resources`, c.resources, { claims: pod.claims });
  validateResizePolicy(out, `${field}.resizePolicy`, c, pod.spec.restartPolicy);
  validateSecurityContext(out, `${field}.securityContext`, c.securityContext, pod.hostUsers);
}

/** Templates take images with blanks around them; Pods do not. */
export function validateImageBlanks(out: Errors, field: string, image: string | undefined): void {
  if (image && image.trim() !== image) out.push(invalidValue(`${field}.image`, image, "must not have leading or trailing whitespace"));
}

function validateHooks(out: Errors, field: string, c: Container, pod: PodContext): void {
  const grace = pod.spec.terminationGracePeriodSeconds;
  validateLifecycle(out, `${field}.lifecycle`, c.lifecycle, grace);
  for (const kind of ["livenessProbe", "readinessProbe", "startupProbe"] as const) validateProbe(out, `${field}.${kind}`, c[kind], kind, grace);
}

function validateHostPorts(out: Errors, field: string, containers: readonly (readonly [number, Container])[]): void {
  const taken = new Set<string>();
  for (const [i, c] of containers) {
    (c.ports ?? []).forEach((port, j) => {
      if (!port.hostPort) return;
      const key = `${port.protocol ?? ""}/${port.hostIP ?? ""}/${port.hostPort}`;
      if (taken.has(key)) out.push(duplicate(`${field}[${i}].ports[${j}].hostPort`, key));
      else taken.add(key);
    });
  }
}

export function validateContainers(out: Errors, field: string, pod: PodContext): void {
  const containers = pod.spec.containers ?? [];
  if (containers.length === 0) return void out.push(required(field));
  const names = new Set<string>();
  containers.forEach((c, i) => {
    const at = `${field}[${i}]`;
    validateCommon(out, at, c, pod);
    if (names.has(c.name)) out.push(duplicate(`${at}.name`, c.name));
    else names.add(c.name);
    validateHooks(out, at, c, pod);
    validateRestartRules(out, at, c);
  });
  validateHostPorts(out, field, [...containers.entries()]);
}

const NOT_FOR_INIT = "may not be set for init containers without restartPolicy=Always";

export function validateInitContainers(out: Errors, field: string, pod: PodContext): void {
  const names = new Set((pod.spec.containers ?? []).map((c) => c.name));
  (pod.spec.initContainers ?? []).forEach((c, i) => {
    const at = `${field}[${i}]`;
    validateCommon(out, at, c, pod);
    if (c.restartPolicy === undefined && c.restartPolicyRules?.length) out.push(required(`${at}.restartPolicy`, RULES_NEED_POLICY));
    else validateRestartRules(out, at, c);
    if (names.has(c.name)) out.push(duplicate(`${at}.name`, c.name));
    else if (c.name) names.add(c.name);
    // Init containers run one after the other: only the ports of one may collide.
    validateHostPorts(out, field, [[0, c]]);
    if (c.restartPolicy === "Always") validateHooks(out, at, c, pod);
    else {
      for (const key of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) if (c[key]) out.push(forbiddenField(`${at}.${key}`, NOT_FOR_INIT));
      (c.resizePolicy ?? []).forEach((p, j) => {
        if (p.restartPolicy === "RestartContainer") out.push(invalidValue(`${at}.resizePolicy[${j}].restartPolicy`, p.restartPolicy, "must not be set to 'RestartContainer' for non-sidecar initContainers"));
      });
    }
  });
}

const NOT_FOR_EPHEMERAL = "cannot be set for an Ephemeral Container";
/** In the order of the Go type's fields. */
const EPHEMERAL_FORBIDDEN = ["ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] as const;

/** Of the resources, which are always there, any part; of the others that they are there at all. */
const isSet = (key: string, v: unknown): boolean => v !== undefined && v !== null && (key !== "resources" || Object.keys(v).length > 0);

export function validateEphemeralContainers(out: Errors, field: string, pod: PodContext): void {
  const others = new Set([...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].map((c) => c.name));
  const names = new Set(others);
  (pod.spec.ephemeralContainers ?? []).forEach((c: EphemeralContainer, i) => {
    const at = `${field}[${i}]`;
    validateCommon(out, at, c, pod);
    validateImageBlanks(out, at, c.image);
    if (names.has(c.name)) out.push(duplicate(`${at}.name`, c.name));
    else names.add(c.name);
    if (c.targetContainerName && !others.has(c.targetContainerName)) out.push(fieldNotFound(`${at}.targetContainerName`, c.targetContainerName));
    for (const key of EPHEMERAL_FORBIDDEN) if (isSet(key, c[key])) out.push(forbiddenField(`${at}.${key}`, NOT_FOR_EPHEMERAL));
    (c.volumeMounts ?? []).forEach((mount, j) => {
      if (mount.subPath) out.push(forbiddenField(`${at}.volumeMounts[${j}].subPath`, NOT_FOR_EPHEMERAL));
      if (mount.subPathExpr) out.push(forbiddenField(`${at}.volumeMounts[${j}].subPathExpr`, NOT_FOR_EPHEMERAL));
    });
  });
}
