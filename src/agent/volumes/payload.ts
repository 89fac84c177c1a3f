/**
 * What the files of configMap, secret, downwardAPI and projected volumes hold. Reads through the ports it is given, writes nothing.
 * Follows kubernetes pkg/volume/{configmap,secret,downwardapi,projected}.
 */
import type { DownwardAPIVolumeFile, KeyToPath, ServiceAccountTokenProjection, Volume, VolumeProjection } from "../../api/generated/types.ts";
import { notFoundText, secretBytes, type Configuration } from "../configuration.ts";
import { fieldValue, resourceValue, type FieldContext } from "../environment/fields.ts";
import type { VolumeFile } from "./atomic-writer.ts";

export interface PayloadContext extends FieldContext {
  readonly configuration: Configuration;
  readonly token: (projection: ServiceAccountTokenProjection) => Promise<string>;
  /** The one user that all containers run as, if there is one: tokens are theirs. */
  readonly tokenUser: number | undefined;
  readonly hasFsGroup: boolean;
}

/** A volume that cannot be set up (yet): FailedMount. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
}

const DEFAULT_MODE = 0o644;

interface KeySource {
  readonly kind: "configmap" | "secret";
  readonly name: string;
  readonly data: ReadonlyMap<string, Buffer> | undefined;
  readonly items: readonly KeyToPath[] | undefined;
  readonly optional: boolean;
  readonly mode: number;
}

function filesOfKeys({ kind, name, data, items, optional, mode }: KeySource): readonly VolumeFile[] {
  if (!data) {
    if (optional) return [];
    throw new VolumeError(notFoundText(kind, name));
  }
  if (!items || items.length === 0) return [...data].map(([path, value]) => ({ path, data: value, mode }));
  return items.flatMap((item) => {
    const value = data.get(item.key);
    if (value) return [{ path: item.path, data: value, mode: item.mode ?? mode }];
    if (optional) return [];
    throw new VolumeError(`references non-existent ${kind === "secret" ? "secret" : "config"} key: ${item.key}`);
  });
}

interface KeyReference {
  readonly name: string;
  readonly items: readonly KeyToPath[] | undefined;
  readonly optional: boolean;
  readonly mode: number;
}

async function configMapFiles({ configuration, pod }: PayloadContext, ref: KeyReference): Promise<readonly VolumeFile[]> {
  const map = await configuration.configMap(pod.metadata.namespace ?? "", ref.name);
  const text = Object.entries(map?.data ?? {}).map(([k, v]) => [k, Buffer.from(v)] as const);
  const binary = Object.entries(map?.binaryData ?? {}).map(([k, v]) => [k, secretBytes(v)] as const);
  return filesOfKeys({ ...ref, kind: "configmap", data: map && new Map([...text, ...binary]) });
}

async function secretFiles({ configuration, pod }: PayloadContext, ref: KeyReference): Promise<readonly VolumeFile[]> {
  const secret = await configuration.secret(pod.metadata.namespace ?? "", ref.name);
  return filesOfKeys({ ...ref, kind: "secret", data: secret && new Map(Object.entries(secret.data ?? {}).map(([k, v]) => [k, secretBytes(v)])) });
}

function downwardFiles(context: PayloadContext, items: readonly DownwardAPIVolumeFile[], mode: number): readonly VolumeFile[] {
  return items.map((item) => {
    const value = item.fieldRef ? fieldValue(context, item.fieldRef.fieldPath) : item.resourceFieldRef ? resourceValue(context, item.resourceFieldRef, undefined) : "";
    if (value === undefined) throw new VolumeError(`unsupported fieldPath: ${item.fieldRef?.fieldPath ?? ""}`);
    return { path: item.path, data: Buffer.from(value), mode: item.mode ?? mode };
  });
}

async function tokenFile(context: PayloadContext, projection: ServiceAccountTokenProjection, mode: number): Promise<VolumeFile> {
  const { tokenUser, hasFsGroup } = context;
  const owned = tokenUser !== undefined || hasFsGroup;
  return { path: projection.path, data: Buffer.from(await context.token(projection)), mode: owned ? 0o600 : mode, ...(tokenUser !== undefined && { uid: tokenUser }) };
}

async function projectionFiles(context: PayloadContext, source: VolumeProjection, mode: number): Promise<readonly VolumeFile[]> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap) return configMapFiles(context, { name: configMap.name ?? "", items: configMap.items, optional: configMap.optional ?? false, mode });
  if (secret) return secretFiles(context, { name: secret.name ?? "", items: secret.items, optional: secret.optional ?? false, mode });
  if (downwardAPI) return downwardFiles(context, downwardAPI.items ?? [], mode);
  if (serviceAccountToken) return [await tokenFile(context, serviceAccountToken, mode)];
  throw new VolumeError("this source of a projected volume cannot be had on this node");
}

/** All sources are tried, and all that is missing is said. */
async function projectedFiles(context: PayloadContext, sources: readonly VolumeProjection[], mode: number): Promise<readonly VolumeFile[]> {
  const files = new Map<string, VolumeFile>();
  const errors: string[] = [];
  for (const source of sources) {
    try {
      for (const file of await projectionFiles(context, source, mode)) files.set(file.path, file);
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      errors.push(error.message);
    }
  }
  if (errors.length > 0) throw new VolumeError(errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`);
  return [...files.values()];
}

/** The files of a volume that is made of API objects; undefined when it is of another kind. Rejects with VolumeError. */
export async function payloadOf(context: PayloadContext, volume: Volume): Promise<readonly VolumeFile[] | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return configMapFiles(context, { name: configMap.name ?? "", items: configMap.items, optional: configMap.optional ?? false, mode: configMap.defaultMode ?? DEFAULT_MODE });
  if (secret) return secretFiles(context, { name: secret.secretName ?? "", items: secret.items, optional: secret.optional ?? false, mode: secret.defaultMode ?? DEFAULT_MODE });
  if (downwardAPI) return downwardFiles(context, downwardAPI.items ?? [], downwardAPI.defaultMode ?? DEFAULT_MODE);
  if (projected) return projectedFiles(context, projected.sources ?? [], projected.defaultMode ?? DEFAULT_MODE);
  return undefined;
}

/** Names of the ConfigMaps and Secrets that a pod's volumes and variables come from: `configmap/NAME`, `secret/NAME`. */
export function referencesOf(pod: FieldContext["pod"]): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (kind: "configmap" | "secret", name: string | undefined) => void (name && names.add(`${kind}/${name}`));
  for (const v of pod.spec.volumes ?? []) {
    add("configmap", v.configMap?.name);
    add("secret", v.secret?.secretName);
    for (const s of v.projected?.sources ?? []) { add("configmap", s.configMap?.name); add("secret", s.secret?.name); }
  }
  for (const c of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    for (const f of c.envFrom ?? []) { add("configmap", f.configMapRef?.name); add("secret", f.secretRef?.name); }
    for (const e of c.env ?? []) { add("configmap", e.valueFrom?.configMapKeyRef?.name); add("secret", e.valueFrom?.secretKeyRef?.name); }
  }
  return names;
}
