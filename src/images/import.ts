/**
 * Images from files: OCI layouts and `docker save` archives (a tar, compressed or not, or a directory), and a userland made of one static busybox.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rename, stat, symlink, writeFile, chmod } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { digestOf, isDigest } from "./digest.ts";
import type { Image } from "./images.ts";
import { PullError } from "./images.ts";
import type { LocalImageStore } from "./image-store.ts";
import { fileDigest } from "./layer-store.ts";
import { removeTree } from "./layout.ts";
import { type ConfigFile, type Descriptor, imageConfigOf, type Index, isIndex, machineArchitecture, type Manifest, selectPlatform } from "./manifest.ts";
import { normalise } from "./reference.ts";
import { openLayerFile, unpackLayer } from "./unpack.ts";

interface DockerEntry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

/** An image as it lies in an unpacked archive. */
interface Found {
  readonly configFile: string;
  readonly layerFiles: readonly string[];
  readonly names: readonly string[];
  readonly digest: string | undefined;
}

const readJson = async <T>(path: string): Promise<T | undefined> => {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as T);
};

/** Imports every image of `file`; `tag` names it where the archive does not (or otherwise). Rejects with one clear sentence. */
export async function importArchive(store: LocalImageStore, file: string, tag?: string): Promise<readonly Image[]> {
  const isDirectory = (await stat(file)).isDirectory();
  const directory = isDirectory ? file : store.layout.incoming();
  try {
    if (!isDirectory) {
      await mkdir(directory);
      await unpackLayer(await openLayerFile(file), directory, { keepOwners: false, lower: [] });
    }
    const found = await findImages(directory);
    if (found.length === 0) throw new Error(`${file} holds no image: neither manifest.json (docker save) nor index.json (OCI layout) is in it`);
    if (tag !== undefined && found.length > 1) throw new Error(`${file} holds ${found.length} images: they can't all be called ${tag}`);
    const images: Image[] = [];
    for (const image of found) images.push(await importFound(store, image, tag === undefined ? image.names : [tag], file));
    return images;
  } finally {
    if (!isDirectory) await removeTree(directory);
  }
}

async function findImages(directory: string): Promise<readonly Found[]> {
  const docker = await readJson<readonly DockerEntry[]>(join(directory, "manifest.json"));
  if (docker) {
    return docker.map((entry) => ({
      configFile: inside(directory, entry.Config),
      layerFiles: entry.Layers.map((l) => inside(directory, l)),
      names: entry.RepoTags ?? [],
      digest: undefined,
    }));
  }
  const index = await readJson<Index>(join(directory, "index.json"));
  return index ? Promise.all(index.manifests.map((d) => findOci(directory, d))) : [];
}

async function findOci(directory: string, descriptor: Descriptor): Promise<Found> {
  const document = await readJson<Manifest | Index>(blobPath(directory, descriptor.digest));
  if (!document) throw new Error(`the layout names ${descriptor.digest}, but does not hold it`);
  const names = ["io.containerd.image.name", "org.opencontainers.image.ref.name"].map((key) => descriptor.annotations?.[key]).find((n) => n !== undefined);
  if (isIndex(document)) return { ...(await findOci(directory, selectPlatform(document, names ?? descriptor.digest))), names: names === undefined ? [] : [names], digest: descriptor.digest };
  return {
    configFile: blobPath(directory, document.config.digest),
    layerFiles: document.layers.map((l) => blobPath(directory, l.digest)),
    names: names === undefined ? [] : [names],
    digest: descriptor.digest,
  };
}

function blobPath(directory: string, digest: string): string {
  if (!isDigest(digest)) throw new PullError("refused", `not a sha256 digest: ${digest}`);
  return join(directory, "blobs", "sha256", digest.slice("sha256:".length));
}

/** A path of the archive; one that climbs out is refused. */
function inside(directory: string, path: string): string {
  if (path.startsWith("/") || path.split("/").includes("..")) throw new PullError("refused", `the archive names a file outside itself: ${path}`);
  return join(directory, path);
}

async function importFound(store: LocalImageStore, found: Found, names: readonly string[], file: string): Promise<Image> {
  if (names.length === 0) throw new Error(`${file} does not name its image: give it a name with --tag NAME`);
  const configBytes = await readFile(found.configFile);
  const config = JSON.parse(configBytes.toString("utf8")) as ConfigFile;
  if (config.architecture !== machineArchitecture()) throw new Error(`${file} is for ${config.os}/${config.architecture}; this machine is linux/${machineArchitecture()}`);
  const diffIds = config.rootfs.diff_ids;
  const layers = await store.layers.unpack(diffIds, (i) => Promise.resolve({ file: found.layerFiles[i] ?? "", diffId: diffIds[i] ?? "" }));
  const sizes = await Promise.all(found.layerFiles.map(async (l) => (await stat(l)).size));
  const record = { id: digestOf(configBytes), sizeBytes: sizes.reduce((sum, n) => sum + n, configBytes.length), config: imageConfigOf(config), layers };
  return store.add(record, names.map(normalise), found.digest);
}

const BUSYBOX_FILES: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n",
  "etc/group": "root:x:0:\ndaemon:x:1:\nbin:x:2:\nnogroup:x:65534:\n",
  "etc/shadow": "root:*:::::::\n",
  // Without it a static busybox's resolver looks for libraries that are not there, and crashes.
  "etc/nsswitch.conf": "hosts: files dns\n",
};
const BUSYBOX_FOLDERS = ["bin", "dev", "etc", "home", "proc", "root", "sbin", "sys", "tmp", "usr/bin", "usr/sbin", "usr/lib", "var/run", "var/tmp", "lib"];

/** Makes an image of one static busybox with a link for each of its applets, and a minimal /etc; gives it all the `tags`. */
export async function importBusybox(store: LocalImageStore, binary: string, tags: readonly string[]): Promise<Image> {
  const { stdout } = await promisify(execFile)(binary, ["--list-full"]).catch((error: unknown) => {
    throw new Error(`${binary} is no busybox that runs here: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
  });
  const root = store.layout.incoming();
  const content = await fileDigest(binary);
  const layer = content.slice("sha256:".length, "sha256:".length + 20);
  try {
    await buildBusyboxRoot(root, binary, stdout.split("\n").filter((l) => l !== ""));
    await rename(root, store.layout.layerPath(layer)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await removeTree(root);
  }
  const config = { user: "", env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], entrypoint: [], cmd: ["sh"], workingDir: "", stopSignal: undefined, exposedPorts: [] };
  const id = digestOf(`${JSON.stringify(config)} ${content}`);
  return store.add({ id, sizeBytes: (await stat(binary)).size, config, layers: [layer] }, tags.map(normalise), id);
}

async function buildBusyboxRoot(root: string, binary: string, applets: readonly string[]): Promise<void> {
  await mkdir(root);
  await chmod(root, 0o755);
  for (const folder of BUSYBOX_FOLDERS) await mkdir(join(root, folder), { recursive: true, mode: 0o755 });
  for (const folder of ["tmp", "var/tmp"]) await chmod(join(root, folder), 0o1777);
  await chmod(join(root, "root"), 0o700);
  for (const [path, text] of Object.entries(BUSYBOX_FILES)) await writeFile(join(root, path), text, { mode: path === "etc/shadow" ? 0o640 : 0o644 });
  await copyFile(binary, join(root, "bin/busybox"));
  await chmod(join(root, "bin/busybox"), 0o755);
  for (const applet of applets) {
    const path = join(root, applet);
    if (applet === "bin/busybox") continue;
    await mkdir(join(path, ".."), { recursive: true });
    await symlink("/bin/busybox", path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}
