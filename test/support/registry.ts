/** A real registry on loopback (Debian's docker-registry) and a small push client, for tests of pulling. */
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pack } from "tar-stream";

export interface TarEntry {
  readonly name: string;
  readonly content?: string;
  readonly type?: "file" | "directory" | "symlink" | "link";
  readonly linkname?: string;
  readonly mode?: number;
}

export async function tar(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { content = "", ...entry } of entries) archive.entry({ mtime: new Date(0), ...entry }, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

const digest = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface BuiltImage {
  readonly config: Buffer;
  readonly layers: readonly { readonly bytes: Buffer; readonly mediaType: string }[];
}

/** Builds an image of tar layers, gzip by default. */
export async function buildImage(layers: readonly (readonly TarEntry[])[], options: { readonly zstd?: boolean; readonly config?: object; readonly architecture?: string } = {}): Promise<BuiltImage> {
  const tars = await Promise.all(layers.map(tar));
  const config = Buffer.from(JSON.stringify({
    architecture: options.architecture ?? { x64: "amd64" }[process.arch as "x64"] ?? process.arch, os: "linux", config: options.config ?? {}, rootfs: { type: "layers", diff_ids: tars.map(digest) },
  }));
  return {
    config,
    layers: tars.map((bytes) =>
      options.zstd
        ? { bytes: zstdCompressSync(bytes), mediaType: "application/vnd.oci.image.layer.v1.tar+zstd" }
        : { bytes: gzipSync(bytes), mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }),
  };
}

export class TestRegistry {
  readonly url: string;
  readonly host: string;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(port: number, child: ChildProcess, directory: string) {
    this.host = `127.0.0.1:${port}`;
    this.url = `http://${this.host}`;
    this.#child = child;
    this.#directory = directory;
  }

  static async start(): Promise<TestRegistry> {
    const directory = await mkdtemp(join(tmpdir(), "stint-registry-"));
    const port = await freePort();
    await mkdir(join(directory, "data"));
    await writeFile(join(directory, "config.yml"), `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${join(directory, "data")}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`);
    const child = spawn("docker-registry", ["serve", join(directory, "config.yml")], { stdio: "ignore" });
    const registry = new TestRegistry(port, child, directory);
    await registry.#ready();
    return registry;
  }

  async #ready(): Promise<void> {
    for (let left = 200; left > 0; left--) {
      const ok = await fetch(`${this.url}/v2/`).then((r) => r.ok, () => false);
      if (ok) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("docker-registry did not answer within 10 s");
  }

  async pushBlob(repository: string, bytes: Buffer): Promise<string> {
    const start = await fetch(`${this.url}/v2/${repository}/blobs/uploads/`, { method: "POST" });
    const location = new URL(start.headers.get("location") ?? "", this.url);
    location.searchParams.set("digest", digest(bytes));
    const done = await fetch(location, { method: "PUT", body: new Uint8Array(bytes), headers: { "content-type": "application/octet-stream" } });
    if (!done.ok) throw new Error(`push of a blob: ${done.status} ${await done.text()}`);
    return digest(bytes);
  }

  async pushDocument(repository: string, id: string, document: object, mediaType: string): Promise<{ readonly digest: string; readonly size: number }> {
    const bytes = Buffer.from(JSON.stringify(document));
    const done = await fetch(`${this.url}/v2/${repository}/manifests/${id === "" ? digest(bytes) : id}`, { method: "PUT", body: new Uint8Array(bytes), headers: { "content-type": mediaType } });
    if (!done.ok) throw new Error(`push of a manifest: ${done.status} ${await done.text()}`);
    return { digest: digest(bytes), size: bytes.length };
  }

  /** Pushes an image under `tag` ("" pushes it by digest only); returns its manifest's descriptor. */
  async push(repository: string, tag: string, image: BuiltImage): Promise<{ readonly mediaType: string; readonly digest: string; readonly size: number }> {
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    for (const bytes of [image.config, ...image.layers.map((l) => l.bytes)]) await this.pushBlob(repository, bytes);
    const manifest = {
      schemaVersion: 2, mediaType,
      config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest(image.config), size: image.config.length },
      layers: image.layers.map((l) => ({ mediaType: l.mediaType, digest: digest(l.bytes), size: l.bytes.length })),
    };
    return { mediaType, ...(await this.pushDocument(repository, tag, manifest, mediaType)) };
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
    await rm(this.#directory, { recursive: true, force: true });
  }
}
