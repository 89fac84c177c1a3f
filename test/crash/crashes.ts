/**
 * A stint whose server is killed with SIGKILL at seeded random moments, in the middle of its start too, and started again on the same data.
 * Its pods note every start and every end in a directory of the machine, which no server touches.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { type Chance, seededChance } from "../../src/base/chance.ts";
import { killLeftovers, leftovers, MARK } from "../support/leftovers.ts";
import { jobManifest, type JobOptions } from "../support/manifests.ts";
import { Running } from "../support/running.ts";
import { Sandbox, Server, STINT } from "../support/stint.ts";

export const IS_LONG = process.env["STINT_TEST_LONG"] === "1";
const KILL_AFTER_MS = { least: 100, most: 2_500 };

export interface PodView {
  readonly metadata: { readonly name: string; readonly uid: string; readonly finalizers?: readonly string[]; readonly annotations?: Readonly<Record<string, string>> };
  readonly status: { readonly phase: string; readonly containerStatuses?: readonly { readonly containerID?: string; readonly restartCount: number; readonly state: { readonly terminated?: { readonly exitCode: number; readonly reason: string } } }[] };
}

export interface JobView {
  readonly status: {
    readonly active?: number; readonly succeeded?: number; readonly failed?: number; readonly terminating?: number; readonly completedIndexes?: string;
    readonly uncountedTerminatedPods?: { readonly succeeded?: readonly string[]; readonly failed?: readonly string[] };
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[];
  };
}

export class Crashes {
  readonly sandbox: Sandbox;
  readonly #chance: Chance;

  private constructor(sandbox: Sandbox, chance: Chance) {
    this.sandbox = sandbox;
    this.#chance = chance;
  }

  static async begin(seed: number): Promise<Crashes> {
    const sandbox = await Sandbox.make();
    await sandbox.importAlpine();
    await mkdir(join(sandbox.directory, "notes"));
    return new Crashes(sandbox, seededChance(seed));
  }

  /** A Job whose pods note `start POD` and `end POD` around `script`, which may end earlier with a status of its own. */
  job(name: string, script: string, { spec = {}, pod = {} }: JobOptions = {}): string {
    const env = [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }, { name: MARK, value: this.sandbox.directory }];
    const container = { env, volumeMounts: [{ name: "notes", mountPath: "/notes" }] };
    const volumes = [{ name: "notes", hostPath: { path: join(this.sandbox.directory, "notes") } }];
    return jobManifest(name, `echo "start $POD" | tee -a /notes/${name}; ${script}; echo "end $POD" | tee -a /notes/${name}`, { spec, container, pod: { volumes, ...pod } });
  }

  /** What pods have noted: how often each has started, and ended. */
  async notes(name: string): Promise<{ readonly starts: Readonly<Record<string, number>>; readonly ends: Readonly<Record<string, number>> }> {
    const lines = (await readFile(join(this.sandbox.directory, "notes", name), "utf8")).trimEnd().split("\n");
    const count = (word: string) => {
      const counts: Record<string, number> = {};
      for (const line of lines.filter((l) => l.startsWith(`${word} `))) counts[line.slice(word.length + 1)] = (counts[line.slice(word.length + 1)] ?? 0) + 1;
      return counts;
    };
    return { starts: count("start"), ends: count("end") };
  }

  start(): Promise<Server> {
    return Server.start(this.sandbox);
  }

  /** Starts the server and kills it at a moment that nobody chose, so many times. */
  async crash(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const server = new Running(STINT, ["up", "--port", "0"], this.sandbox.env);
      const ms = KILL_AFTER_MS.least + Math.floor(this.#chance.next() * (KILL_AFTER_MS.most - KILL_AFTER_MS.least));
      await new Promise((resolve) => setTimeout(resolve, ms));
      expect(await server.stop("SIGKILL"), server.stderr).toEqual({ code: null, signal: "SIGKILL" });
    }
  }

  /** Deletes everything, stops the server and says what is left. */
  async end(server: Server): Promise<readonly string[]> {
    await server.ok(["delete", "jobs", "--all", "--cascade=foreground", "--wait=true", "--timeout=60s"]);
    expect(await server.ok(["get", "pods", "-o", "name"])).toBe("");
    expect(await server.stop()).toBe(0);
    return leftovers(this.sandbox.directory);
  }

  async remove(): Promise<void> {
    killLeftovers(this.sandbox.directory);
    await this.sandbox.remove();
  }
}

export const podsOf = async (server: Server, job: string): Promise<readonly PodView[]> => (await server.json<{ readonly items: readonly PodView[] }>(["get", "pods", "-l", `job-name=${job}`])).items;

/** Resolves when the Job's condition is there. */
export const waitFor = (server: Server, job: string, condition: "complete" | "failed"): Promise<string> => server.ok(["wait", `job/${job}`, `--for=condition=${condition}`, "--timeout=120s"], { timeoutMs: 130_000 });

/** The Job has counted each pod once and is done with all; the pods' processes began once an attempt. */
export async function expectCountedOnce(crashes: Crashes, server: Server, name: string, wanted: { readonly succeeded: number; readonly failed: number }): Promise<readonly PodView[]> {
  const [{ status }, pods, { starts, ends }] = await Promise.all([server.json<JobView>(["get", "job", name]), podsOf(server, name), crashes.notes(name)]);
  const { uncountedTerminatedPods: uncounted = {} } = status;
  expect({ succeeded: status.succeeded ?? 0, failed: status.failed ?? 0, active: status.active ?? 0, terminating: status.terminating ?? 0, uncounted }).toEqual({ ...wanted, active: 0, terminating: 0, uncounted: {} });
  expect(pods.filter((p) => p.metadata.finalizers?.length)).toEqual([]);
  expect(starts).toEqual(Object.fromEntries(pods.map((p) => [p.metadata.name, 1 + (p.status.containerStatuses?.[0]?.restartCount ?? 0)])));
  const succeeded = pods.filter((p) => p.status.phase === "Succeeded");
  expect(succeeded.length).toBe(wanted.succeeded);
  expect(ends).toEqual(Object.fromEntries(succeeded.map((p) => [p.metadata.name, 1])));
  const lost = pods.flatMap((p) => p.status.containerStatuses ?? []).filter((s) => s.state.terminated?.reason === "ContainerStatusUnknown");
  expect(lost).toEqual([]);
  return pods;
}
