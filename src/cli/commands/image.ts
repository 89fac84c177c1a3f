/**
 * `stint image ls | pull | import | rm`: the image store, with or without a server that uses it.
 */
import { defaultDataDirectory, fileErrorText, mergeMirrors, readSettings, UsageError } from "../../app/configuration.ts";
import { openImages } from "../../app/images.ts";
import { EXIT, type Io } from "../io.ts";
import { formatBytes } from "../printers/bytes.ts";
import { formatTable } from "../printers/table.ts";

export interface ImageOptions {
  readonly dataDir?: string;
  readonly config?: string;
  readonly registryMirror?: readonly string[];
}

async function open(options: ImageOptions, io: Io) {
  const settings = await readSettings(options.config, io.env);
  return openImages(options.dataDir ?? defaultDataDirectory(io.env), mergeMirrors(settings.registryMirrors, options.registryMirror ?? []));
}

export async function listImages(options: ImageOptions, io: Io): Promise<number> {
  const images = await (await open(options, io)).list();
  const rows = images.flatMap((image) => (image.tags.length > 0 ? image.tags : ["<none>"]).map((tag) => [tag, image.id.replace("sha256:", "").slice(0, 12), formatBytes(image.sizeBytes)]));
  io.stdout.write(formatTable(["Name", "Id", "Size"], rows.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))));
  return EXIT.ok;
}

export async function pullImages(names: readonly string[], options: ImageOptions, io: Io): Promise<number> {
  const store = await open(options, io);
  for (const name of names) {
    if (io.stderr.isTTY) io.stderr.write(`pulling ${name} …\r`);
    const { image, tookMs } = await store.pull(name, { signal: io.interrupted });
    if (io.stderr.isTTY) io.stderr.write("\u001b[2K");
    io.stdout.write(`${image.tags[0] ?? name}   ${image.id}   ${formatBytes(image.sizeBytes)} in ${(tookMs / 1000).toFixed(1)} s\n`);
  }
  return EXIT.ok;
}

export interface ImportOptions extends ImageOptions {
  readonly tag?: readonly string[];
  readonly busybox?: string;
}

export async function importImage(file: string | undefined, options: ImportOptions, io: Io): Promise<number> {
  if ((file === undefined) === (options.busybox === undefined)) throw new UsageError("stint image import: give either FILE (an OCI layout or a docker save archive) or --busybox FILE");
  const tags = options.tag ?? [];
  const store = await open(options, io);
  const { importArchive, importBusybox } = await import("../../app/images.ts");
  if (options.busybox !== undefined) {
    if (tags.length === 0) throw new UsageError("stint image import --busybox: name the image with --tag NAME (docker.io/library/alpine:latest, say)");
    const image = await importBusybox(store, options.busybox, tags).catch((error: unknown) => refuse(options.busybox ?? "", error));
    io.stdout.write(image.tags.map((tag) => `${tag}   ${image.id}\n`).join(""));
    return EXIT.ok;
  }
  if (tags.length > 1) throw new UsageError("stint image import FILE: takes one --tag");
  for (const image of await importArchive(store, file ?? "", tags[0]).catch((error: unknown) => refuse(file ?? "", error))) io.stdout.write(image.tags.map((tag) => `${tag}   ${image.id}\n`).join(""));
  return EXIT.ok;
}

/** What is wrong with a file is its user's to mend: one line, no trace. */
function refuse(file: string, error: unknown): never {
  const text = error instanceof Error && !("code" in error) ? error.message : fileErrorText(error);
  throw new UsageError(text.startsWith(file) ? text : `can't import ${file}: ${text}`);
}

export async function removeImages(names: readonly string[], options: ImageOptions, io: Io): Promise<number> {
  const store = await open(options, io);
  let code: number = EXIT.ok;
  for (const name of names) {
    if (await store.remove(name)) io.stdout.write(`removed ${name}\n`);
    else {
      io.stderr.write(`stint: no image ${name} in the store; 'stint image ls' lists what is there\n`);
      code = EXIT.failed;
    }
  }
  await store.emptyTrashIfUnused();
  return code;
}
