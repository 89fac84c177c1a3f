/**
 * The volumes of one pod on this machine: made before its sandbox, kept up to date while it runs, taken away after its end.
 * Volumes that need another machine, or a driver, are refused with a text that says so.
 */
import { chmodSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Pod, Volume } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { quantityValue } from "../../api/quantity.ts";
import type { Clock } from "../../base/clock.ts";
import { writeAtomically, type VolumeFile } from "./atomic-writer.ts";
import { prepareHostPath } from "./host-path.ts";
import { mountMemory, unmountBelow } from "./memory-disk.ts";
import { NO_OWNERSHIP, ownTree, type Ownership } from "./ownership.ts";
import { payloadOf, VolumeError, type PayloadContext } from "./payload.ts";

export interface MountedVolume {
  readonly path: string;
  /** Mounted read-only whatever the container says. */
  readonly readOnly: boolean;
}

export interface PodVolumes {
  /** Makes what is missing. Rejects with MountError for the first volume that cannot be had. */
  setUp(pod: Stored<Pod>): Promise<ReadonlyMap<string, MountedVolume>>;
  /** Writes what changed in configMap, secret, downwardAPI and projected volumes. A source that is gone leaves the files as they are. */
  refresh(pod: Stored<Pod>): Promise<void>;
  /** Where a volume is; undefined before it is set up. */
  mounted(name: string): MountedVolume | undefined;
}

/** What FailedMount says. */
export class MountError extends Error {
  override readonly name = "MountError";
  readonly volume: string;
  constructor(volume: string, why: string) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${why}`);
    this.volume = volume;
  }
}

export interface VolumeDirectories {
  readonly stateDir: string;
  readonly memoryDir: string;
}

const podDirectory = (base: string, uid: string): string => join(base, "pods", uid);

/** Takes all of a pod's volumes away, whatever they were. */
export async function removeVolumes({ stateDir, memoryDir }: VolumeDirectories, uid: string): Promise<void> {
  const memory = podDirectory(memoryDir, uid);
  if (existsSync(join(memory, "mounted"))) await unmountBelow(memory);
  const disk = podDirectory(stateDir, uid);
  if (existsSync(disk)) await rm(disk, { recursive: true, force: true });
  // A few small files on a tmpfs: sooner done than handed to another thread, unless somebody has filled a volume there.
  if (existsSync(join(memory, "volumes", "emptyDir"))) await rm(memory, { recursive: true, force: true });
  else rmSync(memory, { recursive: true, force: true });
}

const isInMemory = (volume: Volume): boolean => Boolean(volume.secret ?? volume.downwardAPI ?? volume.projected) || volume.emptyDir?.medium === "Memory";

function kindOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== "name") ?? "emptyDir";
}

export function openPodVolumes(dirs: VolumeDirectories, clock: Clock, context: (pod: Stored<Pod>) => PayloadContext): PodVolumes {
  const mounted = new Map<string, MountedVolume>();
  const directoryOf = (pod: Stored<Pod>, volume: Volume) => join(podDirectory(isInMemory(volume) ? dirs.memoryDir : dirs.stateDir, pod.metadata.uid), "volumes", kindOf(volume), volume.name);

  const write = (pod: Stored<Pod>, volume: Volume, files: readonly VolumeFile[]): MountedVolume => {
    const dir = directoryOf(pod, volume);
    const ownership: Ownership = { gid: pod.spec.securityContext?.fsGroup, readOnly: true };
    if (!existsSync(dir)) {
      mkdirSync(dir, { recursive: true });
      chmodSync(dir, 0o777);
      if (ownership.gid !== undefined) ownTree(dir, ownership);
    }
    writeAtomically(dir, files, ownership.gid === undefined ? NO_OWNERSHIP : ownership, clock.now());
    return { path: dir, readOnly: true };
  };

  const emptyDir = async (pod: Stored<Pod>, volume: Volume): Promise<MountedVolume> => {
    const dir = directoryOf(pod, volume);
    if (existsSync(dir)) return { path: dir, readOnly: false };
    mkdirSync(dir, { recursive: true });
    const inMemory = volume.emptyDir?.medium === "Memory";
    const limit = volume.emptyDir?.sizeLimit;
    if (inMemory && limit !== undefined && (await mountMemory(dir, quantityValue(limit)))) {
      mkdirSync(join(podDirectory(dirs.memoryDir, pod.metadata.uid), "mounted"), { recursive: true });
    }
    chmodSync(dir, inMemory ? 0o1777 : 0o777);
    const gid = pod.spec.securityContext?.fsGroup;
    if (gid !== undefined) ownTree(dir, { gid, readOnly: false });
    return { path: dir, readOnly: false };
  };

  const setUpOne = async (pod: Stored<Pod>, volume: Volume): Promise<MountedVolume> => {
    const files = await payloadOf(context(pod), volume);
    if (files) return write(pod, volume, files);
    if (volume.hostPath) {
      prepareHostPath(volume.hostPath.path, volume.hostPath.type ?? "");
      return { path: volume.hostPath.path, readOnly: false };
    }
    if (kindOf(volume) === "emptyDir") return emptyDir(pod, volume);
    throw new VolumeError(`volumes of type ${kindOf(volume)} cannot be had on this node`);
  };

  return {
    async setUp(pod) {
      for (const volume of pod.spec.volumes ?? []) {
        if (mounted.has(volume.name)) continue;
        try {
          mounted.set(volume.name, await setUpOne(pod, volume));
        } catch (error) {
          throw new MountError(volume.name, error instanceof Error ? error.message : String(error));
        }
      }
      return mounted;
    },
    async refresh(pod) {
      for (const volume of pod.spec.volumes ?? []) {
        if (!mounted.has(volume.name) || !(volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected)) continue;
        try {
          write(pod, volume, (await payloadOf(context(pod), volume)) ?? []);
        } catch (error) {
          if (!(error instanceof VolumeError)) throw error;
        }
      }
    },
    mounted: (name) => mounted.get(name),
  };
}

