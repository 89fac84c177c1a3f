/**
 * The documents of the OCI image and distribution specifications (and Docker's older twins), as far as stint reads them.
 */
import type { ImageConfig } from "./images.ts";
import { PullError } from "./images.ts";

export const MEDIA_TYPES = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

export const ACCEPT_MANIFESTS = Object.values(MEDIA_TYPES).join(", ");

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface Index {
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
}

/** The image's configuration file. */
export interface ConfigFile {
  readonly architecture: string;
  readonly os: string;
  readonly config?: {
    readonly User?: string;
    readonly Env?: readonly string[] | null;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly StopSignal?: string;
    readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
  };
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly string[] };
}

export function isIndex(document: Manifest | Index): document is Index {
  return "manifests" in document && Array.isArray(document.manifests);
}

/** Node's name of this machine's architecture, in Go's words. */
export function machineArchitecture(arch: string = process.arch): string {
  return { x64: "amd64", arm64: "arm64", arm: "arm", ia32: "386", ppc64: "ppc64le", s390x: "s390x", riscv64: "riscv64" }[arch] ?? arch;
}

/** The manifest of an index that fits this machine; throws PullError "refused" where none does. */
export function selectPlatform(index: Index, name: string, architecture: string = machineArchitecture()): Descriptor {
  const fits = index.manifests.filter((d) => d.platform === undefined || (d.platform.os === "linux" && d.platform.architecture === architecture));
  const chosen = fits.find((d) => d.platform !== undefined) ?? fits[0];
  if (!chosen) throw new PullError("refused", `no match for platform in manifest: ${name} has no image for linux/${architecture}: not found`);
  return chosen;
}

export function imageConfigOf(file: ConfigFile): ImageConfig {
  const c = file.config ?? {};
  return {
    user: c.User ?? "",
    env: c.Env ?? [],
    entrypoint: c.Entrypoint ?? [],
    cmd: c.Cmd ?? [],
    workingDir: c.WorkingDir ?? "",
    stopSignal: c.StopSignal,
    exposedPorts: Object.keys(c.ExposedPorts ?? {}),
  };
}
