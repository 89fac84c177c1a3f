/**
 * Where an image store keeps its things, and how it writes them: whole files by rename, so that several processes may share one store.
 *
 *     images/SHA.json   one record an image          layers/ID/   an unpacked layer
 *     tags/REF.json     reference → image            incoming/    what is being made
 *     trash/            layers that nothing names any more
 */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Ids } from "../base/chance.ts";
import type { Image } from "./images.ts";

/** An image as it is kept: layers by their directory's name. */
export interface ImageRecord {
  readonly id: string;
  readonly sizeBytes: number;
  readonly config: Image["config"];
  /** Names under layers/, lowest first. */
  readonly layers: readonly string[];
}

export interface TagRecord {
  readonly reference: string;
  readonly image: string;
  /** `sha256:…` of the manifest or index it was pulled by; undefined for an import without one. */
  readonly digest: string | undefined;
}

const FOLDERS = ["images", "tags", "layers", "incoming", "trash"] as const;

export class ImageLayout {
  readonly #root: string;
  readonly #ids: Ids;

  constructor(root: string, ids: Ids) {
    this.#root = root;
    this.#ids = ids;
  }

  /** Makes the folders; rejects with the system's error where the place can't be written. */
  async open(): Promise<void> {
    for (const folder of FOLDERS) await mkdir(join(this.#root, folder), { recursive: true });
  }

  layerPath(name: string): string {
    return join(this.#root, "layers", name);
  }

  /** A fresh name under incoming/. */
  incoming(): string {
    return join(this.#root, "incoming", this.#ids.suffix(16));
  }

  async writeImage(record: ImageRecord): Promise<void> {
    await this.#write(join(this.#root, "images", `${record.id.replace(":", "-")}.json`), record);
  }

  async writeTag(record: TagRecord): Promise<void> {
    await this.#write(this.#tagPath(record.reference), record);
  }

  async readTag(reference: string): Promise<TagRecord | undefined> {
    return readJson<TagRecord>(this.#tagPath(reference));
  }

  async readImage(id: string): Promise<ImageRecord | undefined> {
    return readJson<ImageRecord>(join(this.#root, "images", `${id.replace(":", "-")}.json`));
  }

  tags(): Promise<readonly TagRecord[]> {
    return this.#all<TagRecord>("tags");
  }

  images(): Promise<readonly ImageRecord[]> {
    return this.#all<ImageRecord>("images");
  }

  async removeTag(reference: string): Promise<void> {
    await rm(this.#tagPath(reference), { force: true });
  }

  async removeImage(id: string): Promise<void> {
    await rm(join(this.#root, "images", `${id.replace(":", "-")}.json`), { force: true });
  }

  /** Moves a layer aside: mounts that use it go on; its files go with the next emptyTrash. */
  async trashLayer(name: string): Promise<void> {
    await rename(this.layerPath(name), join(this.#root, "trash", `${name}-${this.#ids.suffix(6)}`)).catch(ignoreMissing);
  }

  async emptyTrash(): Promise<void> {
    for (const name of await readdir(join(this.#root, "trash"))) await removeTree(join(this.#root, "trash", name));
  }

  #tagPath(reference: string): string {
    return join(this.#root, "tags", `${encodeURIComponent(reference)}.json`);
  }

  async #all<T>(folder: string): Promise<readonly T[]> {
    const names = await readdir(join(this.#root, folder)).catch(() => [] as string[]);
    const records = await Promise.all(names.filter((n) => n.endsWith(".json")).map((n) => readJson<T>(join(this.#root, folder, n))));
    return records.filter((r) => r !== undefined);
  }

  async #write(path: string, value: object): Promise<void> {
    const temporary = this.incoming();
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(JSON.stringify(value));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  }
}

const ignoreMissing = (error: unknown) => {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
};

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    ignoreMissing(error);
    return undefined;
  });
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** Removes a tree even where an image's directories lack the owner's write bit (an ordinary user's case). */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
    const { chmod, lstat } = await import("node:fs/promises");
    const open = async (at: string): Promise<void> => {
      if (!(await lstat(at)).isDirectory()) return;
      await chmod(at, 0o700);
      for (const name of await readdir(at)) await open(join(at, name));
    };
    await open(path);
    await rm(path, { recursive: true, force: true });
  }
}
