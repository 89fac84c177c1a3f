/**
 * Where a container's programs come from: its image, pulled as the policy says, or this machine's own userland.
 * Follows kubernetes pkg/kubelet/images/image_manager.go (EnsureImageExists). What goes beyond it: an image in the store is used when no
 * registry can be reached, and in userland mode auto this machine stands in for an image that cannot be had.
 */
import type { Container } from "../../api/generated/types.ts";
import type { Clock } from "../../base/clock.ts";
import { pullErrorKind, type Image, type ImageConfig, type ImageService, type RegistryCredential } from "../image-service.ts";
import type { AgentOptions } from "../ports.ts";
import { nextBackOff, RESTART_BACK_OFF, waitUntil, type BackOff } from "./back-off.ts";
import { messageOf, RETRY_MS, StartRefused } from "./start-refused.ts";

export interface ContainerImage {
  readonly root: { readonly kind: "image"; readonly layers: readonly string[] } | { readonly kind: "host" };
  readonly config: ImageConfig;
  /** As the status shows it. */
  readonly name: string;
  readonly id: string;
  /** Why this machine's userland stands in for the image. */
  readonly standIn?: string;
}

/** What is remembered of the pulls of one pod: its back-offs and last errors, by image. */
export interface PullMemory {
  readonly backOffs: Map<string, BackOff & { readonly error: string }>;
}

export interface ImageContext {
  readonly images: ImageService;
  readonly clock: Clock;
  readonly options: Pick<AgentOptions, "userland" | "strictPull">;
  readonly memory: PullMemory;
  readonly credentials: readonly RegistryCredential[];
  readonly tell: (type: "Normal" | "Warning", reason: string, message: string) => void;
  readonly signal: AbortSignal;
}

const BLANK: ImageConfig = { user: "", env: [], entrypoint: [], cmd: [], workingDir: "", stopSignal: undefined };

const hostUserland = (image: string, standIn?: string): ContainerImage => ({ root: { kind: "host" }, config: BLANK, name: image, id: "", ...(standIn !== undefined && { standIn }) });

const fromStore = (image: Image, reference: string): ContainerImage => ({
  root: { kind: "image", layers: image.layers },
  config: image.config,
  name: image.tags[0] ?? reference,
  id: image.digests[0] ?? image.id,
});

function useStored({ tell }: ImageContext, image: Image, reference: string): ContainerImage {
  tell("Normal", "Pulled", `Container image "${reference}" already present on machine and can be accessed by the pod`);
  return fromStore(image, reference);
}

/** How long a pull's error is shown before the state says that it waits. */
const SHOW_ERROR_MS = 1000;

async function find({ images, tell }: ImageContext, reference: string): Promise<Image | undefined> {
  try {
    return await images.find(reference);
  } catch (error) {
    if (pullErrorKind(error) !== "invalid-name") throw error;
    const message = `Failed to apply default image tag "${reference}": couldn't parse image name "${reference}": ${whyNoReference(reference)}`;
    tell("Warning", "InspectFailed", message);
    throw new StartRefused("InvalidImageName", message, RETRY_MS);
  }
}

/** What is wrong with a reference, in the words of distribution/reference (ParseNormalizedNamed). */
export function whyNoReference(reference: string): string {
  const [first = "", ...others] = reference.split("/");
  const isRegistry = others.length > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const remainder = isRegistry ? others.join("/") : others.length > 0 ? reference : `library/${reference}`;
  const [repository = ""] = remainder.split(":");
  return `invalid reference format${repository === repository.toLowerCase() ? "" : `: repository name (${repository}) must be lowercase`}`;
}

/** The image of a container. Rejects with StartRefused, its events told already. */
export async function ensureImage(context: ImageContext, container: Container): Promise<ContainerImage> {
  const reference = container.image ?? "";
  if (context.options.userland === "host") return hostUserland(reference);
  const present = await find(context, reference);
  const policy = container.imagePullPolicy ?? "IfNotPresent";
  if (present && policy !== "Always") {
    return useStored(context, present, reference);
  }
  if (policy === "Never") {
    const message = `Container image "${reference}" is not present with pull policy of Never`;
    context.tell("Warning", "ErrImageNeverPull", message);
    throw new StartRefused("ErrImageNeverPull", message, RETRY_MS);
  }
  return pull(context, reference, present);
}

function refuseInBackOff({ clock, memory, tell }: ImageContext, reference: string): void {
  const backOff = memory.backOffs.get(reference);
  const until = backOff && waitUntil(backOff, backOff.updatedAt, clock.now(), RESTART_BACK_OFF);
  if (!backOff || until === undefined) return;
  const message = `Back-off pulling image "${reference}"`;
  tell("Normal", "BackOff", message);
  throw new StartRefused("ImagePullBackOff", `${message}: ErrImagePull: ${backOff.error}`, until - clock.now());
}

async function pull(context: ImageContext, reference: string, present: Image | undefined): Promise<ContainerImage> {
  const { images, clock, tell, credentials, signal } = context;
  refuseInBackOff(context, reference);
  tell("Normal", "Pulling", `Pulling image "${reference}"`);
  const startedAt = clock.now();
  try {
    const { image, tookMs } = await images.pull(reference, { credentials, signal });
    const waited = Math.max(clock.now() - startedAt, tookMs);
    tell("Normal", "Pulled", `Successfully pulled image "${reference}" in ${seconds(tookMs)} (${seconds(waited)} including waiting). Image size: ${image.sizeBytes} bytes.`);
    context.memory.backOffs.delete(reference);
    return fromStore(image, reference);
  } catch (error) {
    return withoutPull(context, reference, present, error);
  }
}

/** As Go prints a duration: `812ms`, `1.204s`. */
const seconds = (ms: number): string => (ms < 1000 ? `${Math.max(Math.round(ms), 1)}ms` : `${Number((ms / 1000).toFixed(3))}s`);

function withoutPull(context: ImageContext, reference: string, present: Image | undefined, error: unknown): ContainerImage {
  const { clock, memory, options, signal, tell } = context;
  const why = messageOf(error);
  signal.throwIfAborted();
  if (pullErrorKind(error) === "unreachable") {
    if (present && !options.strictPull) {
      tell("Warning", "RegistryUnreachable", `No registry can be reached for image "${reference}": the one in the store is used: ${why}`);
      return useStored(context, present, reference);
    }
    if (options.userland === "auto") {
      tell("Warning", "HostUserland", `No registry can be reached for image "${reference}": the command runs in this machine's own userland: ${why}`);
      return hostUserland(reference, why);
    }
  }
  tell("Warning", "Failed", `Failed to pull image "${reference}": ${why}`);
  const now = clock.now();
  memory.backOffs.set(reference, { ...nextBackOff(memory.backOffs.get(reference), now, now, RESTART_BACK_OFF), error: why });
  throw new StartRefused("ErrImagePull", why, SHOW_ERROR_MS);
}
