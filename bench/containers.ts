/** The sandbox runtime without a server: containers of busybox `true`, so many at once, each waited for to its end and removed. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { keepAlive, systemClock } from "../src/base/clock.ts";
import { silentLogger } from "../src/base/logger.ts";
import { openSandboxRuntime } from "../src/runtime/sandbox/sandbox-runtime.ts";
import { containerSpec, makeBusyboxLayer, sandboxSpec } from "../src/runtime/sandbox/testing.ts";

export interface Containers {
  /** The unpacked busybox that they run from. */
  readonly layer: string;
  /** Runs `count` containers, `concurrency` at a time; how long each took to start, in milliseconds. `round` names them. */
  run(count: number, concurrency: number, round: string): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Opens a runtime of its own under `directory`. */
export async function openContainers(directory: string): Promise<Containers> {
  mkdirSync(directory, { recursive: true });
  const layer = makeBusyboxLayer(join(directory, "layer"));
  const runtime = openSandboxRuntime({ stateDir: join(directory, "state"), clock: systemClock, logger: silentLogger });
  const alive = keepAlive();
  await runtime.open();
  const ends = new Map<string, () => void>();
  runtime.onHint((uid) => void runtime.list().then(({ containers }) => {
    if (containers.some((c) => c.pod.uid === uid && c.state === "exited")) ends.get(uid)?.();
  }));

  async function one(uid: string): Promise<number> {
    const begun = performance.now();
    const ended = new Promise<void>((resolve) => ends.set(uid, resolve));
    await runtime.runSandbox(sandboxSpec(uid));
    await runtime.startContainer(containerSpec(uid, join(directory, "logs", `${uid}.log`), layer, ["true"]));
    const started = performance.now() - begun;
    await ended;
    ends.delete(uid);
    await runtime.removeSandbox(uid);
    return started;
  }

  return {
    layer,
    async run(count, concurrency, round) {
      const starts: number[] = [];
      let next = 0;
      const worker = async () => {
        while (next < count) starts.push(await one(`${round}-${next++}`));
      };
      await Promise.all(Array.from({ length: concurrency }, worker));
      return starts;
    },
    async close() {
      await runtime.close();
      alive.release();
    },
  };
}
