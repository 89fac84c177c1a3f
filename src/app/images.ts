/**
 * The image store of a data directory, as the CLI and the agent get it.
 */
import { join } from "node:path";
import { systemIds } from "../base/chance.ts";
import { systemClock } from "../base/clock.ts";
import type { LocalImageStore } from "../images/image-store.ts";
import { fileErrorText, UsageError, type Settings } from "./configuration.ts";
import { dataDirectoryInUse, makeDataDirectory } from "./data-directory.ts";

export { importArchive, importBusybox } from "../images/import.ts";

export type OpenImages = LocalImageStore & { emptyTrashIfUnused(): Promise<void> };

/** Opens the store under `dataDirectory`; a place that can't be written is a UsageError. */
export async function openImages(dataDirectory: string, mirrors: Settings["registryMirrors"]): Promise<OpenImages> {
  await makeDataDirectory(dataDirectory);
  const { openImageStore } = await import("../images/image-store.ts");
  const directory = join(dataDirectory, "images");
  const store = await openImageStore({ directory, clock: systemClock, ids: systemIds, mirrors, keepOwners: process.getuid?.() === 0 }).catch((error: unknown) => {
    throw new UsageError(`can't keep images in ${directory}: ${fileErrorText(error)}. Name another place with --data-dir DIR`);
  });
  return Object.assign(store, {
    async emptyTrashIfUnused() {
      if (!(await dataDirectoryInUse(dataDirectory))) await store.emptyTrash();
    },
  });
}
