/** Manifests for tests, as JSON (which is YAML). Their containers run busybox's shell and carry their test's mark. */
import { MARK } from "./leftovers.ts";

export interface JobOptions {
  readonly spec?: object;
  readonly pod?: object;
  readonly container?: object;
  readonly namespace?: string;
  readonly image?: string;
  /** The directory of the test whose pods these are. */
  readonly mark?: string;
}

export function podSpec(script: string, { pod = {}, container = {}, image = "alpine", mark = "" }: JobOptions = {}): object {
  return { restartPolicy: "Never", terminationGracePeriodSeconds: 2, containers: [{ name: "main", image, command: ["sh", "-c", script], env: [{ name: MARK, value: mark }], ...container }], ...pod };
}

/** A Job whose pods run `script`. No retry unless `spec` says so. */
export function jobManifest(name: string, script: string, options: JobOptions = {}): string {
  const { spec = {}, namespace } = options;
  return JSON.stringify({ apiVersion: "batch/v1", kind: "Job", metadata: { name, namespace }, spec: { backoffLimit: 0, template: { spec: podSpec(script, options) }, ...spec } });
}

export function podManifest(name: string, script: string, options: JobOptions = {}): string {
  return JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: options.namespace }, spec: podSpec(script, options) });
}
