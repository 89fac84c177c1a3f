import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ConfigMap, Pod, Volume } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { VirtualClock } from "../../base/clock.ts";
import { resolveSubPath } from "./sub-path.ts";
import { openPodVolumes, removeVolumes } from "./volumes.ts";

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), "stint-volumes-")); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const maps = new Map<string, ConfigMap>();
const podOf = (volumes: readonly Volume[], labels: Record<string, string> = {}): Stored<Pod> => ({
  metadata: { name: "p", namespace: "ns", uid: "u", resourceVersion: "1", creationTimestamp: "", labels }, spec: { containers: [{ name: "main", resources: { limits: { cpu: "500m" } } }], volumes },
});
const open = () => openPodVolumes({ stateDir: dir, memoryDir: join(dir, "memory") }, new VirtualClock(Date.parse("2024-05-01T12:00:00Z")), (pod) => ({
  pod, hostIps: [], podIps: [], allocatable: {}, token: async () => "token", tokenUser: undefined, hasFsGroup: false,
  configuration: { configMap: async (_ns, name) => maps.get(name), secret: async (_ns, name) => (name === "s" ? { metadata: { name }, data: { k: Buffer.from("v").toString("base64") } } : undefined) },
}));
const set = (data: Record<string, string>) => maps.set("c", { metadata: { name: "c" }, data });
const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);

describe("a ConfigMap volume", () => {
  test("shows keys by links to one dated directory, and changes all at once", async () => {
    set({ k: "old", gone: "x" });
    const volumes = open();
    const pod = podOf([{ name: "v", configMap: { name: "c", defaultMode: 0o440 } }]);
    const at = (await volumes.setUp(pod)).get("v")?.path ?? "";
    expect([readlinkSync(join(at, "k")), readlinkSync(join(at, "..data")).slice(0, 22), mode(at), mode(join(at, "k")), mode(join(at, "..data"))]).toEqual(["..data/k", "..2024_05_01_12_00_00.", "777", "440", "755"]);
    set({ k: "new", come: "y" });
    await volumes.refresh(pod);
    expect(readFileSync(join(at, "k"), "utf8")).toBe("new");
    expect(readdirSync(at).filter((n) => !n.startsWith("..")).sort()).toEqual(["come", "k"]);
    expect(readdirSync(at).filter((n) => n.startsWith("..")).length).toBe(2);
  });

  test("keeps its directory when nothing changes", async () => {
    set({ k: "v" });
    const volumes = open();
    const pod = podOf([{ name: "v", configMap: { name: "c" } }]);
    const at = (await volumes.setUp(pod)).get("v")?.path ?? "";
    const before = readlinkSync(join(at, "..data"));
    await volumes.refresh(pod);
    expect(readlinkSync(join(at, "..data"))).toBe(before);
  });
});

test.each<{ readonly name: string; readonly volume: Omit<Volume, "name">; readonly want: string }>([
  { name: "a ConfigMap", volume: { configMap: { name: "none" } }, want: 'configmap "none" not found' },
  { name: "a Secret's key", volume: { secret: { secretName: "s", items: [{ key: "x", path: "x" }] } }, want: "references non-existent secret key: x" },
  { name: "sources of a projection, all of them", volume: { projected: { sources: [{ configMap: { name: "none" } }, { secret: { name: "t" } }] } }, want: '[configmap "none" not found, secret "t" not found]' },
  { name: "a directory", volume: { hostPath: { path: "/no/such/dir", type: "Directory" } }, want: "hostPath type check failed: /no/such/dir is not a directory" },
  { name: "a socket", volume: { hostPath: { path: "/dev/null", type: "Socket" } }, want: "hostPath type check failed: /dev/null is not a socket file" },
  { name: "a driver", volume: { nfs: { server: "x", path: "/" } }, want: "volumes of type nfs cannot be had on this node" },
])("a volume that lacks $name says so", async ({ volume, want }) => {
  await expect(open().setUp(podOf([{ name: "v", ...volume }]))).rejects.toThrow(`MountVolume.SetUp failed for volume "v" : ${want}`);
});

test("a projection of all sources", async () => {
  set({ a: "map" });
  const sources = [
    { configMap: { name: "c" } }, { secret: { name: "s", items: [{ key: "k", path: "sub/k", mode: 0o400 }] } }, { serviceAccountToken: { path: "token" } }, { configMap: { name: "none", optional: true } },
    { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }, { path: "cpu", resourceFieldRef: { containerName: "main", resource: "limits.cpu", divisor: "1m" } }] } },
  ];
  const at = (await open().setUp(podOf([{ name: "v", projected: { sources } }], { z: "1", a: "2" }))).get("v")?.path ?? "";
  expect(["a", "sub/k", "token", "labels", "cpu"].map((f) => readFileSync(join(at, f), "utf8"))).toEqual(["map", "v", "token", 'a="2"\nz="1"', "500"]);
  expect(mode(join(at, "sub/k"))).toBe("400");
});

test("an emptyDir outlives the worker, not the pod", async () => {
  const pod = podOf([{ name: "disk", emptyDir: {} }, { name: "memory", emptyDir: { medium: "Memory" } }]);
  const first = await open().setUp(pod);
  const disk = first.get("disk")?.path ?? "";
  writeFileSync(join(disk, "f"), "x");
  expect([mode(disk), mode(first.get("memory")?.path ?? "")]).toEqual(["777", "1777"]);
  await open().setUp(pod);
  expect(readdirSync(disk)).toEqual(["f"]);
  await removeVolumes({ stateDir: dir, memoryDir: join(dir, "memory") }, "u");
  expect(() => lstatSync(disk)).toThrow();
});

describe("a part of a volume", () => {
  test("is made like the volume when it is not there", () => {
    const volume = join(dir, "v");
    mkdirSync(volume, { mode: 0o755 });
    expect(mode(resolveSubPath(volume, "a/b"))).toBe("755");
  });

  test("never leads out of it", () => {
    const volume = join(dir, "v");
    mkdirSync(volume);
    symlinkSync("/etc", join(volume, "link"));
    expect(() => resolveSubPath(volume, "link/passwd")).toThrow("not within volume path");
    expect(() => resolveSubPath(volume, "../x")).toThrow("not within volume path");
  });
});
