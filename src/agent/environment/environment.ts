/**
 * The variables that a container starts with, as its spec asks for them. What the image and the runtime add is not known here.
 * Follows kubernetes pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables).
 */
import { own } from "../../base/own.ts";
import type { Container, EnvFromSource, EnvVar, EnvVarSource, FileKeySelector } from "../../api/generated/types.ts";
import { notFoundText, secretBytes, type Configuration } from "../configuration.ts";
import { expand, type Lookup } from "./expand.ts";
import { fieldValue, resourceValue, type FieldContext } from "./fields.ts";

export interface EnvironmentContext extends FieldContext {
  readonly configuration: Configuration;
  readonly serviceLinks: ReadonlyMap<string, string>;
  /** The variables of a file on a volume of the pod; undefined when there is no such file. */
  readonly readEnvFile: (selector: FileKeySelector) => ReadonlyMap<string, string> | undefined;
}

/** A configuration that a container needs and that is not there: CreateContainerConfigError. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Pairs = readonly (readonly [string, string])[];

async function pairsOfSource(context: EnvironmentContext, source: EnvFromSource): Promise<Pairs> {
  const namespace = context.pod.metadata.namespace ?? "";
  const { configMapRef, secretRef } = source;
  if (configMapRef) {
    const map = await context.configuration.configMap(namespace, configMapRef.name ?? "");
    if (!map && !configMapRef.optional) throw new ConfigError(notFoundText("configmap", configMapRef.name ?? ""));
    return Object.entries(map?.data ?? {});
  }
  if (!secretRef) return [];
  const secret = await context.configuration.secret(namespace, secretRef.name ?? "");
  if (!secret && !secretRef.optional) throw new ConfigError(notFoundText("secret", secretRef.name ?? ""));
  return Object.entries(secret?.data ?? {}).map(([key, value]) => [key, secretBytes(value).toString()] as const);
}

async function configMapValue({ configuration, pod }: EnvironmentContext, ref: NonNullable<EnvVarSource["configMapKeyRef"]>): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? "";
  const map = await configuration.configMap(namespace, ref.name ?? "");
  const value = own(map?.data, ref.key);
  if (value !== undefined || ref.optional) return value;
  throw new ConfigError(map ? `couldn't find key ${ref.key} in ConfigMap ${namespace}/${ref.name ?? ""}` : notFoundText("configmap", ref.name ?? ""));
}

async function secretValue({ configuration, pod }: EnvironmentContext, ref: NonNullable<EnvVarSource["secretKeyRef"]>): Promise<string | undefined> {
  const namespace = pod.metadata.namespace ?? "";
  const secret = await configuration.secret(namespace, ref.name ?? "");
  const value = own(secret?.data, ref.key);
  if (value !== undefined) return secretBytes(value).toString();
  if (ref.optional) return undefined;
  throw new ConfigError(secret ? `couldn't find key ${ref.key} in Secret ${namespace}/${ref.name ?? ""}` : notFoundText("secret", ref.name ?? ""));
}

function fileValue(context: EnvironmentContext, ref: FileKeySelector): string | undefined {
  const file = context.readEnvFile(ref);
  const value = file?.get(ref.key);
  if (value !== undefined || ref.optional) return value;
  throw new ConfigError(file ? `environment variable key "${ref.key}" not found in file "${ref.path}"` : `file "${ref.path}" not found in volume "${ref.volumeName}"`);
}

/** The value that a variable refers to; undefined when it is optional and not there. */
async function sourceValue(context: EnvironmentContext, container: Container, source: EnvVarSource): Promise<string | undefined> {
  if (source.fieldRef) return fieldValue(context, source.fieldRef.fieldPath) ?? "";
  if (source.resourceFieldRef) return resourceValue(context, source.resourceFieldRef, container);
  if (source.configMapKeyRef) return configMapValue(context, source.configMapKeyRef);
  if (source.secretKeyRef) return secretValue(context, source.secretKeyRef);
  return source.fileKeyRef ? fileValue(context, source.fileKeyRef) : undefined;
}

/** All variables, later ones over earlier ones of the same name. Rejects with ConfigError. */
export async function makeEnvironment(context: EnvironmentContext, container: Container): Promise<Map<string, string>> {
  const env = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    for (const [key, value] of await pairsOfSource(context, source)) env.set(`${source.prefix ?? ""}${key}`, value);
  }
  const lookup: Lookup = (name) => env.get(name) ?? context.serviceLinks.get(name);
  for (const variable of container.env ?? []) {
    const value = await valueOf(context, container, variable, lookup);
    if (value !== undefined) env.set(variable.name, value);
  }
  for (const [name, value] of context.serviceLinks) if (!env.has(name)) env.set(name, value);
  return env;
}

async function valueOf(context: EnvironmentContext, container: Container, variable: EnvVar, lookup: Lookup): Promise<string | undefined> {
  if (variable.value) return expand(variable.value, lookup);
  return variable.valueFrom ? sourceValue(context, container, variable.valueFrom) : "";
}

const ENV_LINE = /^\s*(?:export\s+)?([^=\s#][^=]*?)\s*=\s*(.*)$/;

/** The variables of a file of `NAME=value` lines; values may be quoted. */
export function parseEnvFile(text: string): Map<string, string> {
  const env = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, raw = ""] = ENV_LINE.exec(line) ?? [];
    if (name !== undefined) env.set(name, raw.trim().replace(/^(['"])(.*)\1$/, "$2"));
  }
  return env;
}
