/**
 * The runtime's records by pod. However many pods ask at a time, the runtime is listed once for all of them,
 * and never is an answer older than its question.
 */
import type { Runtime } from "../runtime/runtime.ts";
import { NO_RUNTIME, type PodRuntime } from "./pod/world.ts";

type Snapshot = ReadonlyMap<string, PodRuntime>;

export interface RuntimeView {
  /** What the runtime has of a pod now. */
  read(podUid: string): Promise<PodRuntime>;
  /** Uids of all pods that the runtime knows. */
  uids(): Promise<readonly string[]>;
}

interface Group {
  readonly sandboxes: PodRuntime["sandboxes"][number][];
  readonly containers: PodRuntime["containers"][number][];
}

async function list(runtime: Runtime): Promise<Snapshot> {
  const { sandboxes, containers } = await runtime.list();
  const pods = new Map<string, Group>();
  const of = (uid: string): Group => {
    const known = pods.get(uid);
    if (known) return known;
    const fresh: Group = { sandboxes: [], containers: [] };
    pods.set(uid, fresh);
    return fresh;
  };
  for (const s of sandboxes) of(s.pod.uid).sandboxes.push(s);
  for (const c of containers) of(c.pod.uid).containers.push(c);
  return pods;
}

export function openRuntimeView(runtime: Runtime): RuntimeView {
  let current: Promise<Snapshot> | undefined;
  let next: Promise<Snapshot> | undefined;
  // Who asks while a list is under way gets the next one: the one under way may have missed what the asker has just done.
  const begin = async (): Promise<Snapshot> => {
    await current?.catch(() => undefined);
    current = next;
    next = undefined;
    return list(runtime);
  };
  const snapshot = (): Promise<Snapshot> => (next ??= begin());
  return {
    read: async (podUid) => (await snapshot()).get(podUid) ?? NO_RUNTIME,
    uids: async () => [...(await snapshot()).keys()],
  };
}
