/**
 * The image store: finds, pulls, lists and removes. Several processes may use one store at a time: records appear whole, an image only after its layers.
 */
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../base/clock.ts";
import type { Ids } from "../base/chance.ts";
import { DigestStream, digestOf } from "./digest.ts";
import { type Image, type ImageStore, PullError, type PullResult, type RegistryCredential } from "./images.ts";
import { ImageLayout, type ImageRecord } from "./layout.ts";
import { LayerStore } from "./layer-store.ts";
import { type ConfigFile, type Descriptor, imageConfigOf, type Index, isIndex, type Manifest, selectPlatform } from "./manifest.ts";
import { formatReference, parseReference, type Reference } from "./reference.ts";
import { RegistryClient } from "./registry-client.ts";

export interface ImageStoreOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** Whether files keep the owners that the image names: where this process may set them. */
  readonly keepOwners: boolean;
}

/** A blob download that gives nothing for this long is given up. */
const STALL_MS = 60_000;
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;

interface Resolved {
  readonly manifest: Manifest;
  /** What the tag or digest named: the index, where there is one. */
  readonly digest: string;
}

/** Opens (and makes, where it is not there) the store in `directory`. */
export async function openImageStore(options: ImageStoreOptions): Promise<LocalImageStore> {
  const layout = new ImageLayout(options.directory, options.ids);
  await layout.open();
  return new LocalImageStore(options, layout);
}

export class LocalImageStore implements ImageStore {
  readonly layout: ImageLayout;
  readonly layers: LayerStore;
  readonly #options: ImageStoreOptions;
  readonly #registry: RegistryClient;
  readonly #pulls = new Map<string, Promise<PullResult>>();

  constructor(options: ImageStoreOptions, layout: ImageLayout) {
    this.#options = options;
    this.layout = layout;
    this.layers = new LayerStore(layout, options.keepOwners);
    this.#registry = new RegistryClient({ clock: options.clock, mirrors: options.mirrors ?? {} });
  }

  async find(reference: string): Promise<Image | undefined> {
    const parsed = parseReference(reference);
    const tag = await this.layout.readTag(formatReference(parsed));
    const record = tag && (await this.layout.readImage(tag.image));
    if (tag && record) return this.#image(record, [tag.reference], tag.digest === undefined ? [] : [digestName(parsed, tag.digest)]);
    return parsed.digest === undefined ? undefined : (await this.list()).find((image) => image.id === parsed.digest || image.digests.includes(digestName(parsed, parsed.digest ?? "")));
  }

  async pull(reference: string, options: { readonly credentials?: readonly RegistryCredential[]; readonly signal?: AbortSignal }): Promise<PullResult> {
    const parsed = parseReference(reference);
    const name = formatReference(parsed);
    const running = this.#pulls.get(name);
    if (running) return running;
    const pull = this.#pull(parsed, name, options.credentials ?? [], options.signal).finally(() => this.#pulls.delete(name));
    this.#pulls.set(name, pull);
    return pull;
  }

  async list(): Promise<readonly Image[]> {
    const [tags, records] = await Promise.all([this.layout.tags(), this.layout.images()]);
    return records.map((record) => {
      const own = tags.filter((t) => t.image === record.id);
      const digests = own.flatMap((t) => (t.digest === undefined ? [] : [digestName(parseReference(t.reference), t.digest)]));
      return this.#image(record, own.map((t) => t.reference).filter((r) => !r.includes("@")).sort(), [...new Set(digests)].sort());
    });
  }

  async remove(reference: string): Promise<boolean> {
    const name = await this.#tagOf(reference);
    const tag = name === undefined ? undefined : await this.layout.readTag(name);
    if (!tag) return false;
    await this.layout.removeTag(tag.reference);
    if ((await this.layout.tags()).some((t) => t.image === tag.image)) return true;
    const record = await this.layout.readImage(tag.image);
    await this.layout.removeImage(tag.image);
    const needed = new Set((await this.layout.images()).flatMap((i) => i.layers));
    for (const layer of record?.layers ?? []) if (!needed.has(layer)) await this.layout.trashLayer(layer);
    return true;
  }

  /** Deletes the files of removed layers. Only while nothing runs from them. */
  emptyTrash(): Promise<void> {
    return this.layout.emptyTrash();
  }

  /** Records an image whose layers are in place, under its names. */
  async add(record: ImageRecord, references: readonly string[], digest?: string): Promise<Image> {
    await this.layout.writeImage(record);
    for (const reference of references) await this.layout.writeTag({ reference, image: record.id, digest });
    return this.#image(record, references, digest === undefined ? [] : references.map((r) => digestName(parseReference(r), digest)));
  }

  /** A tag as it was given, or an image's id (or the beginning of it) with a single tag. */
  async #tagOf(reference: string): Promise<string | undefined> {
    const tags = await this.layout.tags();
    const byId = /^(sha256:)?[0-9a-f]{6,64}$/.test(reference) ? tags.find((t) => t.image.replace("sha256:", "").startsWith(reference.replace("sha256:", ""))) : undefined;
    return byId?.reference ?? formatReference(parseReference(reference));
  }

  async #pull(reference: Reference, name: string, credentials: readonly RegistryCredential[], signal?: AbortSignal): Promise<PullResult> {
    const started = this.#options.clock.now();
    const { manifest, digest } = await this.#resolve(reference, name, credentials, signal);
    const configBytes = await this.#small(reference, manifest.config, credentials, signal);
    const config = JSON.parse(configBytes.toString("utf8")) as ConfigFile;
    const files: string[] = [];
    try {
      const layers = await this.layers.unpack(config.rootfs.diff_ids, async (i) => {
        const descriptor = manifest.layers[i];
        if (!descriptor) throw new PullError("refused", `${name}: the image names more layers than its manifest has`);
        const file = await this.#download(reference, descriptor, credentials, signal);
        files.push(file);
        return { file, diffId: config.rootfs.diff_ids[i] ?? "" };
      });
      const sizeBytes = manifest.config.size + manifest.layers.reduce((sum, l) => sum + l.size, 0);
      const record = { id: manifest.config.digest, sizeBytes, config: imageConfigOf(config), layers };
      return { image: await this.add(record, [name], digest), tookMs: this.#options.clock.now() - started };
    } finally {
      for (const file of files) await rm(file, { force: true });
    }
  }

  async #resolve(reference: Reference, name: string, credentials: readonly RegistryCredential[], signal?: AbortSignal): Promise<Resolved> {
    const first = await this.#document(reference, reference.digest ?? reference.tag ?? "latest", name, credentials, signal);
    if (!isIndex(first.document)) return { manifest: first.document, digest: first.digest };
    const chosen = selectPlatform(first.document, name);
    const second = await this.#document(reference, chosen.digest, name, credentials, signal);
    if (isIndex(second.document)) throw new PullError("refused", `${name}: an index inside an index`);
    return { manifest: second.document, digest: first.digest };
  }

  async #document(reference: Reference, id: string, name: string, credentials: readonly RegistryCredential[], signal?: AbortSignal): Promise<{ readonly document: Manifest | Index; readonly digest: string }> {
    const { bytes } = await this.#registry.manifest(reference, id, credentials, signal);
    if (bytes.length > MANIFEST_BYTES_MAX) throw new PullError("refused", `${name}: manifest of ${bytes.length} bytes`);
    const digest = digestOf(bytes);
    if (id.includes(":") && id !== digest) throw new PullError("refused", `${name}: manifest has digest ${digest}, not ${id}`);
    const document = parseDocument(bytes, name);
    return { document, digest };
  }

  async #small(reference: Reference, descriptor: Descriptor, credentials: readonly RegistryCredential[], signal?: AbortSignal): Promise<Buffer> {
    if (descriptor.size > MANIFEST_BYTES_MAX) throw new PullError("refused", `image configuration of ${descriptor.size} bytes`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await this.#registry.blob(reference, descriptor.digest, credentials, signal)) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (digestOf(bytes) !== descriptor.digest) throw new PullError("refused", `blob ${descriptor.digest} has the digest ${digestOf(bytes)}`);
    return bytes;
  }

  async #download(reference: Reference, descriptor: Descriptor, credentials: readonly RegistryCredential[], signal?: AbortSignal): Promise<string> {
    const file = this.layout.incoming();
    const stalled = new AbortController();
    const watch = () => this.#options.clock.after(STALL_MS, () => stalled.abort(new PullError("refused", `blob ${descriptor.digest}: nothing came for ${STALL_MS / 1000} s`)));
    let timer = watch();
    const digest = new DigestStream();
    digest.on("data", () => {
      timer.cancel();
      timer = watch();
    });
    try {
      const body = await this.#registry.blob(reference, descriptor.digest, credentials, signal);
      await pipeline(Readable.fromWeb(body as never), digest, createWriteStream(file, { flags: "wx" }), { signal: AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])]) });
      const actual = digest.digest();
      if (actual !== descriptor.digest) throw new PullError("refused", `blob ${descriptor.digest} has the digest ${actual}`);
      return file;
    } catch (error) {
      await rm(file, { force: true });
      throw stalled.signal.aborted ? stalled.signal.reason : error;
    } finally {
      timer.cancel();
    }
  }

  #image(record: ImageRecord, tags: readonly string[], digests: readonly string[]): Image {
    return { id: record.id, tags, digests, sizeBytes: record.sizeBytes, config: record.config, layers: record.layers.map((l) => this.layout.layerPath(l)) };
  }
}

const digestName = ({ registry, repository }: Reference, digest: string) => `${registry}/${repository}@${digest}`;

function parseDocument(bytes: Buffer, name: string): Manifest | Index {
  try {
    const document = JSON.parse(bytes.toString("utf8")) as Manifest | Index;
    if (isIndex(document) || (document.config !== undefined && Array.isArray(document.layers))) return document;
  } catch {
    // Falls through to the same answer: it is no manifest.
  }
  throw new PullError("refused", `${name}: the registry's answer is not an image manifest that stint knows`);
}
