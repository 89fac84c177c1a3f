/**
 * Probes and lifecycle hooks of containers.
 * Follows kubernetes pkg/apis/core/validation (validateProbe, validateHandler, validateLifecycle).
 */
import { forbiddenField, invalidValue, required } from "../../field-error.ts";
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from "../../generated/types.ts";
import { isHttpHeaderName, isValidPortName, isValidPortNumber } from "../../names.ts";
import { type Errors, nonNegative, reasons, unsupported } from "../../validation/fields.ts";

export function validatePort(out: Errors, field: string, port: string | number | undefined): void {
  if (typeof port === "string") reasons(out, field, port, isValidPortName(port));
  else reasons(out, field, port ?? 0, isValidPortNumber(port ?? 0));
}

function validateHttpGet(out: Errors, field: string, http: HTTPGetAction): void {
  if (!http.path) out.push(required(`${field}.path`));
  validatePort(out, `${field}.port`, http.port);
  if (http.scheme !== "HTTP" && http.scheme !== "HTTPS") out.push(unsupported(`${field}.scheme`, http.scheme ?? "", ["HTTP", "HTTPS"]));
  for (const header of http.httpHeaders ?? []) reasons(out, `${field}.httpHeaders`, header.name ?? "", isHttpHeaderName(header.name ?? ""));
}

type Handler = Pick<Probe, "grpc"> & LifecycleHandler;

function validateHandler(out: Errors, field: string, handler: Handler, gracePeriod: number | undefined): void {
  const checks: readonly (readonly [keyof Handler, () => void])[] = [
    ["exec", () => { if (!handler.exec?.command?.length) out.push(required(`${field}.exec.command`)); }],
    ["httpGet", () => { if (handler.httpGet) validateHttpGet(out, `${field}.httpGet`, handler.httpGet); }],
    ["tcpSocket", () => validatePort(out, `${field}.tcpSocket.port`, handler.tcpSocket?.port)],
    ["grpc", () => validatePort(out, `${field}.grpc.port`, handler.grpc?.port)],
    ["sleep", () => validateSleep(out, `${field}.sleep`, handler.sleep?.seconds ?? 0, gracePeriod)],
  ];
  let found = false;
  for (const [key, check] of checks) {
    if (!handler[key]) continue;
    if (found) out.push(forbiddenField(`${field}.${key}`, "may not specify more than 1 handler type"));
    else check();
    found = true;
  }
  if (!found) out.push(required(field, "must specify a handler type"));
}

function validateSleep(out: Errors, field: string, seconds: number, gracePeriod: number | undefined): void {
  if (gracePeriod !== undefined && (seconds < 0 || seconds > gracePeriod)) {
    out.push(invalidValue(field, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`));
  }
}

export function validateLifecycle(out: Errors, field: string, lifecycle: Lifecycle | undefined, gracePeriod: number | undefined): void {
  if (lifecycle?.postStart) validateHandler(out, `${field}.postStart`, lifecycle.postStart, gracePeriod);
  if (lifecycle?.preStop) validateHandler(out, `${field}.preStop`, lifecycle.preStop, gracePeriod);
}

export type ProbeKind = "livenessProbe" | "readinessProbe" | "startupProbe";

export function validateProbe(out: Errors, field: string, probe: Probe | undefined, kind: ProbeKind, gracePeriod: number | undefined): void {
  if (!probe) return;
  validateHandler(out, field, probe, gracePeriod);
  for (const key of ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] as const) nonNegative(out, `${field}.${key}`, probe[key]);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) out.push(invalidValue(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than 0"));
  if (kind === "readinessProbe") {
    if (grace !== undefined) out.push(invalidValue(`${field}.terminationGracePeriodSeconds`, grace, "must not be set for readinessProbes"));
  } else if (probe.successThreshold !== 1) {
    out.push(invalidValue(`${field}.successThreshold`, probe.successThreshold ?? 0, "must be 1"));
  }
}
