/**
 * Unpacked layers, each once. A layer without whiteouts is a directory of its own, shared by every image that has it. One with whiteouts is merged
 * with the layers below it (hard links, so no file is stored twice): overlayfs then needs neither device nodes nor extended attributes,
 * and the same store works for root and for an ordinary user. A long stack is merged as well, because a mount's options are bounded.
 */
import { mkdir, rename, stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { Writable } from "node:stream";
import { DigestStream } from "./digest.ts";
import { PullError } from "./images.ts";
import { type ImageLayout, removeTree } from "./layout.ts";
import { hasWhiteouts, linkTree, openLayerFile, unpackLayer } from "./unpack.ts";

/** How many directories one overlay gets at most. */
const STACK_MAX = 24;
const NAME_LENGTH = 20;

const nameOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, NAME_LENGTH);

export interface LayerFile {
  /** The layer as the registry gave it (compressed or not). */
  readonly file: string;
  /** What its decompressed bytes must hash to. */
  readonly diffId: string;
}

export class LayerStore {
  readonly #layout: ImageLayout;
  readonly #keepOwners: boolean;

  constructor(layout: ImageLayout, keepOwners: boolean) {
    this.#layout = layout;
    this.#keepOwners = keepOwners;
  }

  /** Names of an image's layers if all of them are unpacked already (then no blob need be fetched). */
  async known(diffIds: readonly string[]): Promise<readonly string[] | undefined> {
    let stack: string[] = [];
    for (const [i, diffId] of diffIds.entries()) {
      const merged = this.#mergedName(diffIds.slice(0, i + 1));
      if (await this.#exists(merged)) stack = [merged];
      else if (stack.length < STACK_MAX && (await this.#exists(this.#ownName(diffId, i)))) stack.push(this.#ownName(diffId, i));
      else return undefined;
    }
    return stack;
  }

  /** Unpacks what is missing; `fetch` is asked only for layers that are. Returns the names, lowest first. */
  async unpack(diffIds: readonly string[], fetch: (index: number) => Promise<LayerFile>): Promise<readonly string[]> {
    let stack: string[] = [];
    for (const [i, diffId] of diffIds.entries()) {
      const own = this.#ownName(diffId, i);
      const merged = this.#mergedName(diffIds.slice(0, i + 1));
      if (await this.#exists(merged)) {
        stack = [merged];
        continue;
      }
      if (stack.length < STACK_MAX && (await this.#exists(own))) {
        stack.push(own);
        continue;
      }
      const layer = await fetch(i);
      await verify(layer);
      const merge = stack.length >= STACK_MAX || (stack.length > 0 && (await hasWhiteouts(await openLayerFile(layer.file))));
      await this.#make(merge ? merged : own, layer, stack, merge);
      stack = merge ? [merged] : [...stack, own];
    }
    return stack;
  }

  async #make(name: string, layer: LayerFile, stack: readonly string[], merge: boolean): Promise<void> {
    const target = this.#layout.incoming();
    const lower = stack.map((n) => this.#layout.layerPath(n));
    await mkdir(target, { mode: 0o755 });
    try {
      if (merge) for (const from of lower) await linkTree(from, target, this.#keepOwners);
      await unpackLayer(await openLayerFile(layer.file), target, { keepOwners: this.#keepOwners, lower: merge ? [] : lower });
      await rename(target, this.#layout.layerPath(name));
    } catch (error) {
      await removeTree(target);
      // Another process may have been first: what it made is the same.
      if (!(await this.#exists(name))) throw error;
    }
  }

  async #exists(name: string): Promise<boolean> {
    return stat(this.#layout.layerPath(name)).then(() => true, () => false);
  }

  /** A bottom layer has a name of its own: whiteouts in it mean nothing there, and would elsewhere. */
  #ownName(diffId: string, index: number): string {
    return nameOf(index === 0 ? `base ${diffId}` : diffId);
  }

  #mergedName(diffIds: readonly string[]): string {
    return nameOf(`merged ${diffIds.join(" ")}`);
  }
}

/** Reads a layer once and compares its decompressed digest with what the configuration promises. */
async function verify({ file, diffId }: LayerFile): Promise<void> {
  const digest = new DigestStream();
  await pipeline(await openLayerFile(file), digest, new Writable({ write: (_chunk, _encoding, done) => done() }));
  const actual = digest.digest();
  if (actual !== diffId) throw new PullError("refused", `layer ${diffId} has the content ${actual}`);
}

/** The digest of a file as it stands. */
export async function fileDigest(file: string): Promise<string> {
  const digest = new DigestStream();
  await pipeline(createReadStream(file), digest, new Writable({ write: (_chunk, _encoding, done) => done() }));
  return digest.digest();
}
