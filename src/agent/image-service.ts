/**
 * The image store as the agent needs it; `images/` provides it. Errors of a pull are known by their `kind`.
 */
export interface ImageConfig {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  readonly stopSignal: string | undefined;
}

export interface Image {
  /** Digest of the image's configuration: `sha256:…`. */
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  /** Unpacked layer directories, lowest first. */
  readonly layers: readonly string[];
}

export interface RegistryCredential {
  readonly username: string;
  readonly password: string;
}

export interface ImageService {
  find(reference: string): Promise<Image | undefined>;
  pull(reference: string, options: { readonly credentials?: readonly RegistryCredential[]; readonly signal?: AbortSignal }): Promise<{ readonly image: Image; readonly tookMs: number }>;
}

export type PullErrorKind = "invalid-name" | "refused" | "unreachable";

const KINDS: ReadonlySet<unknown> = new Set<PullErrorKind>(["invalid-name", "refused", "unreachable"]);

/** What kind of failure an error of the image service is; undefined for any other error. */
export function pullErrorKind(error: unknown): PullErrorKind | undefined {
  const kind = typeof error === "object" && error !== null && "kind" in error ? error.kind : undefined;
  return KINDS.has(kind) ? (kind as PullErrorKind) : undefined;
}
