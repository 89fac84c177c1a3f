import { chmod, lstat, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemIds } from "../base/chance.ts";
import { systemClock } from "../base/clock.ts";
import { buildImage, freePort, tar, TestRegistry } from "../../test/support/registry.ts";
import { importArchive, importBusybox } from "./import.ts";
import { type LocalImageStore, openImageStore } from "./image-store.ts";

let scratch: string;
let registry: TestRegistry;
let serial = 0;

const open = (mirrors: Record<string, string[]> = {}): Promise<LocalImageStore> =>
  openImageStore({ directory: join(scratch, `store-${serial++}`), clock: systemClock, ids: systemIds, mirrors, keepOwners: process.getuid?.() === 0 });

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "stint-images-"));
  registry = await TestRegistry.start();
});
afterAll(async () => {
  await registry.stop();
  await rm(scratch, { recursive: true, force: true });
});

/** What a container would see: the layers' files, upper ones winning. */
async function view(layers: readonly string[], path: string): Promise<string | undefined> {
  for (const layer of [...layers].reverse()) {
    const text = await readFile(join(layer, path), "utf8").catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}

describe("pulling from a real registry", () => {
  test("layers stack, are shared between images, and are fetched once", async () => {
    const base = [{ name: "etc/", type: "directory" as const, mode: 0o700 }, { name: "etc/a", content: "one" }];
    await registry.push("one", "v1", await buildImage([base, [{ name: "etc/b", content: "two" }]]));
    await registry.push("two", "v1", await buildImage([base, [{ name: "etc/c", content: "three" }]], { zstd: true, config: { Env: ["A=b"], Cmd: ["x"], User: "7" } }));
    const store = await open();
    const one = await store.pull(`${registry.host}/one:v1`, {});
    const two = await store.pull(`${registry.host}/two:v1`, {});
    expect(await view(one.image.layers, "etc/a")).toBe("one");
    expect(await view(one.image.layers, "etc/b")).toBe("two");
    expect(await view(two.image.layers, "etc/c")).toBe("three");
    expect(two.image.layers[0]).toBe(one.image.layers[0]);
    expect(two.image.config).toMatchObject({ env: ["A=b"], cmd: ["x"], user: "7" });
    expect((await lstat(join(one.image.layers[1] ?? "", "etc"))).mode & 0o777).toBe(0o700);
    expect(await store.find(`${registry.host}/one:v1`)).toEqual(one.image);
    expect((await readdir(join(one.image.layers[0] ?? "", "..", "..", "incoming"))).length).toBe(0);
  });

  test("whiteouts remove what lies below, for that image only", async () => {
    const base = [{ name: "d/keep", content: "k" }, { name: "d/gone", content: "g" }, { name: "o/x", content: "x" }];
    await registry.push("plain", "v1", await buildImage([base]));
    await registry.push("white", "v1", await buildImage([base, [{ name: "d/.wh.gone" }, { name: "o/new", content: "n" }, { name: "o/.wh..wh..opq" }], [{ name: "d/keep", content: "K" }]]));
    const store = await open();
    const plain = (await store.pull(`${registry.host}/plain:v1`, {})).image;
    const white = (await store.pull(`${registry.host}/white:v1`, {})).image;
    expect(await view(white.layers, "d/gone")).toBeUndefined();
    expect(await view(white.layers, "o/x")).toBeUndefined();
    expect(await view(white.layers, "o/new")).toBe("n");
    expect(await view(white.layers, "d/keep")).toBe("K");
    expect(await view(plain.layers, "d/keep")).toBe("k");
    expect(await view(plain.layers, "d/gone")).toBe("g");
  });

  test("an index gives the image of this machine's architecture", async () => {
    const mine = await registry.push("multi", "", await buildImage([[{ name: "mine", content: "yes" }]]));
    const other = await registry.push("multi", "", await buildImage([[{ name: "other", content: "no" }]], { architecture: "mips" }));
    const architecture = process.arch === "x64" ? "amd64" : process.arch;
    const index = { schemaVersion: 2, manifests: [{ ...other, platform: { os: "linux", architecture: "mips" } }, { ...mine, platform: { os: "linux", architecture } }] };
    const pushed = await registry.pushDocument("multi", "latest", index, "application/vnd.oci.image.index.v1+json");
    const { image } = await (await open()).pull(`${registry.host}/multi`, {});
    expect(await view(image.layers, "mine")).toBe("yes");
    expect(image.digests).toEqual([`${registry.host}/multi@${pushed.digest}`]);
  });

  test("a mirror answers for docker.io", async () => {
    await registry.push("library/mirrored", "latest", await buildImage([[{ name: "f", content: "m" }]]));
    const store = await open({ "docker.io": [registry.url] });
    expect((await store.pull("mirrored", {})).image.tags).toEqual(["docker.io/library/mirrored:latest"]);
  });

  test("a name that the registry does not know is refused; a registry that is not there is unreachable", async () => {
    const store = await open();
    await expect(store.pull(`${registry.host}/absent:v1`, {})).rejects.toMatchObject({ kind: "refused", message: expect.stringContaining("not found") });
    await expect(store.pull(`127.0.0.1:${await freePort()}/absent:v1`, {})).rejects.toMatchObject({ kind: "unreachable" });
    await expect(store.pull("Not A Name", {})).rejects.toMatchObject({ kind: "invalid-name" });
  });
});

test("a token is fetched when the registry asks for one, and 401 is a refusal", async () => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization ?? "-"}`);
    if (request.url?.startsWith("/token")) response.end(JSON.stringify({ token: "t1" }));
    else response.writeHead(401, { "www-authenticate": `Bearer realm="http://127.0.0.1:${(server.address() as AddressInfo).port}/token",service="s"` }).end("{}");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect((await open()).pull(`${host}/private:v1`, { credentials: [{ username: "u", password: "p" }] })).rejects.toMatchObject({ kind: "refused" });
  expect(seen).toContain(`/token?service=s&scope=repository%3Aprivate%3Apull Basic ${Buffer.from("u:p").toString("base64")}`);
  expect(seen.some((s) => s.endsWith("Bearer t1"))).toBe(true);
  server.close();
});

describe("importing", () => {
  test.each([{ name: "climbs out", entry: { name: "../evil", content: "x" } }, { name: "links out", entry: { name: "l", type: "link" as const, linkname: "../../etc/passwd" } }])("an archive that $name is refused", async ({ entry }) => {
    const file = join(scratch, `bad-${serial++}.tar`);
    await writeFile(file, await tar([entry]));
    await expect(importArchive(await open(), file)).rejects.toThrow(/outside/);
    expect(existsSync(join(scratch, "evil"))).toBe(false);
  });

  test("a link in the archive is never written through", async () => {
    const outside = join(scratch, "outside");
    await writeFile(outside, "safe");
    const image = await buildImage([[{ name: "etc", type: "symlink", linkname: scratch }, { name: "etc/outside", content: "evil" }]]);
    await registry.push("links", "v1", image);
    const { image: pulled } = await (await open()).pull(`${registry.host}/links:v1`, {});
    expect(await readFile(outside, "utf8")).toBe("safe");
    expect(await view(pulled.layers, "etc/outside")).toBe("evil");
  });

  test("a docker save archive and an OCI layout", async () => {
    const image = await buildImage([[{ name: "hello", content: "hi" }]]);
    const layer = image.layers[0]?.bytes ?? Buffer.alloc(0);
    const docker = join(scratch, "docker.tar");
    const entry = (name: string, bytes: Buffer) => ({ name, content: bytes as unknown as string });
    await writeFile(docker, await tar([{ name: "manifest.json", content: JSON.stringify([{ Config: "c.json", RepoTags: ["hello:1"], Layers: ["l/layer.tar"] }]) }, entry("c.json", image.config), entry("l/layer.tar", layer)]));
    const store = await open();
    const [imported] = await importArchive(store, docker);
    expect(imported?.tags).toEqual(["docker.io/library/hello:1"]);
    expect(await view(imported?.layers ?? [], "hello")).toBe("hi");
    expect(await store.remove("hello:1")).toBe(true);
    expect(await store.remove("hello:1")).toBe(false);
    expect(existsSync(imported?.layers[0] ?? "/")).toBe(false);
    await expect(importArchive(store, docker, "other:2")).resolves.toMatchObject([{ tags: ["docker.io/library/other:2"] }]);
  });

  test("a static busybox becomes an image with a link for each applet", async () => {
    const store = await open();
    const image = await importBusybox(store, "/bin/busybox", ["alpine:latest", "busybox"]);
    expect(await view(image.layers, "etc/nsswitch.conf")).toBe("hosts: files dns\n");
    expect((await store.find("busybox"))?.id).toBe(image.id);
    expect((await lstat(join(image.layers[0] ?? "", "bin/sh"))).isSymbolicLink()).toBe(true);
    const notBusybox = join(scratch, "not-busybox");
    await writeFile(notBusybox, "#!/bin/sh\nexit 3\n");
    await chmod(notBusybox, 0o755);
    await expect(importBusybox(store, notBusybox, ["x"])).rejects.toThrow(/no busybox/);
  });
});
