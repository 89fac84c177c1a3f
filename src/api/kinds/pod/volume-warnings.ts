/**
 * Warnings about a pod's volumes: drivers that are gone, and files that would be written one over the other.
 * Follows kubernetes pkg/api/pod/warnings.go (warningsForOverlappingVirtualPaths) and pkg/api/persistentvolumeclaim/util.go.
 */
import { table } from "../../../base/own.ts";
import type { PodSpec, VolumeProjection } from "../../generated/types.ts";
import { claimSpecWarnings } from "../storage/claim-spec.ts";

const OLD = ["photonPersistentDisk", "gitRepo", "scaleIO", "flocker", "storageos", "quobyte", "glusterfs", "ephemeral", "cephfs", "rbd"] as const;
const DEPRECATED: Readonly<Record<string, string>> = table({
  photonPersistentDisk: "photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+",
  gitRepo: "gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
  scaleIO: "scaleIO: deprecated in v1.16, non-functional in v1.22+",
  flocker: "flocker: deprecated in v1.22, non-functional in v1.25+",
  storageos: "storageOS: deprecated in v1.22, non-functional in v1.25+",
  quobyte: "quobyte: deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "glusterfs: deprecated in v1.25, non-functional in v1.26+",
  cephfs: "cephfs: deprecated in v1.28, non-functional in v1.31+",
  rbd: "rbd: deprecated in v1.28, non-functional in v1.31+",
});

export function volumeWarnings(spec: PodSpec, field: string): string[] {
  return (spec.volumes ?? []).flatMap((volume, i) => {
    const at = `${field}.volumes[${i}]`;
    return OLD.flatMap((key) => (volume[key] === undefined ? [] : key === "ephemeral" ? claimSpecWarnings(volume.ephemeral?.volumeClaimTemplate?.spec, `${at}.ephemeral.volumeClaimTemplate.spec`) : [`${at}.${DEPRECATED[key] ?? key}`]));
  });
}

/** A file of a volume, and where it comes from ("" where there is one source only). */
interface Placed {
  readonly path: string;
  readonly source: string;
}

const shown = ({ path, source }: Placed): string => (source === "" ? JSON.stringify(path) : `${JSON.stringify(path)} (${source})`);

/** One is the other, or is inside it. */
const collides = (a: string, b: string): boolean => a !== "" && b !== "" && (`${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`));

function overlaps(files: readonly Placed[]): string[] {
  const trimmed = files.map(({ path, source }) => ({ path: path.replace(/\/+$/, ""), source }));
  return trimmed.flatMap((file, i) => trimmed.slice(0, i).filter((other) => collides(file.path, other.path)).map((other) => `${shown(file)} with ${shown(other)}`));
}

const placed = (items: readonly { readonly path: string }[] | undefined, source: string): Placed[] => (items ?? []).map(({ path }) => ({ path: path ?? "", source }));

function filesOf(source: VolumeProjection): Placed[] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap?.items) return placed(configMap.items, `ConfigMap ${JSON.stringify(configMap.name ?? "")}`);
  if (secret?.items) return placed(secret.items, `Secret ${JSON.stringify(secret.name ?? "")}`);
  if (downwardAPI?.items) return placed(downwardAPI.items, "DownwardAPI");
  return serviceAccountToken ? placed([serviceAccountToken], "ServiceAccountToken") : [];
}

/** Files that would be written one over the other, in each volume. */
export function overlapWarnings(spec: PodSpec): string[] {
  return (spec.volumes ?? []).flatMap(({ name, configMap, secret, downwardAPI, projected }) => {
    const tell = (what: string, files: readonly Placed[]) => overlaps(files).map((text) => `volume ${JSON.stringify(name)} (${what}): overlapping paths: ${text}`);
    const sources = projected?.sources ?? [];
    return [
      ...tell(`ConfigMap ${JSON.stringify(configMap?.name ?? "")}`, placed(configMap?.items, "")),
      ...tell(`Secret ${JSON.stringify(secret?.secretName ?? "")}`, placed(secret?.items, "")),
      ...tell("DownwardAPI", placed(downwardAPI?.items, "")),
      ...sources.filter((s) => Object.values(s).every((v) => v === undefined)).map(() => `volume ${JSON.stringify(name)} (Projected) has no sources provided`),
      ...tell("Projected", sources.flatMap(filesOf)),
    ];
  });
}
