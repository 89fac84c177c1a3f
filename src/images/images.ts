/**
 * The image store's contract, as the agent and the CLI see it. Layers are kept unpacked by digest and shared read-only.
 */
export interface ImageConfig {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  readonly stopSignal: string | undefined;
  readonly exposedPorts: readonly string[];
}

export interface Image {
  /** Digest of the image's configuration: `sha256:…`. */
  readonly id: string;
  /** Normalised: `docker.io/library/alpine:latest`. */
  readonly tags: readonly string[];
  /** `docker.io/library/alpine@sha256:…`; empty for an import that had none. */
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  readonly config: ImageConfig;
  /** Unpacked layer directories, lowest first. */
  readonly layers: readonly string[];
}

export interface PullResult {
  readonly image: Image;
  readonly tookMs: number;
}

export type PullErrorKind =
  /** The reference is not one: InvalidImageName. */
  | "invalid-name"
  /** A registry answered, and the answer is no (404, 401, 429, a bad digest …). */
  | "refused"
  /** No registry could be reached at all (DNS, connect, TLS, time-out): the only case in which another userland may stand in. */
  | "unreachable";

export class PullError extends Error {
  override readonly name = "PullError";
  readonly kind: PullErrorKind;
  constructor(kind: PullErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface RegistryCredential {
  readonly username: string;
  readonly password: string;
}

export interface ImageStore {
  /** The image of a reference that is in the store; undefined when it is not. Throws PullError invalid-name. */
  find(reference: string): Promise<Image | undefined>;
  /** Pulls whatever is missing. Concurrent pulls of one reference are one. Rejects with PullError. */
  pull(reference: string, options: { readonly credentials?: readonly RegistryCredential[]; readonly signal?: AbortSignal }): Promise<PullResult>;
  list(): Promise<readonly Image[]>;
  /** Removes a tag, and what nothing needs any more. False when there is no such tag. */
  remove(reference: string): Promise<boolean>;
}
