/**
 * Pod sandboxes on disk: identity, host name, address, the files that all containers of a pod share (/etc/hosts, /etc/hostname,
 * /etc/resolv.conf, /dev/shm). A sandbox has no process of its own: its namespaces are made by the first container that runs and joined by
 * those that run beside it.
 */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { assert } from "../../base/assert.ts";
import type { SandboxSpec, SandboxStatus } from "../runtime.ts";
import type { Layout } from "./layout.ts";
import type { Trash } from "./trash.ts";

export interface Sandbox {
  readonly id: string;
  readonly spec: SandboxSpec;
  readonly createdAtMs: number;
  readonly ip: string;
  /** The directory of this machine that is the pod's /dev/shm. */
  readonly shm: string;
  ready: boolean;
}

/** Pods get their addresses from 127.64.0.0/10: each can be bound, and is nobody else's. */
const FIRST_ADDRESS = (127 << 24) | (64 << 16);
const ADDRESSES = 1 << 22;
const SHM = "/dev/shm";

export const sandboxStatus = (s: Sandbox): SandboxStatus => ({ id: s.id, pod: s.spec.pod, createdAtMs: s.createdAtMs, ready: s.ready, ip: s.ip });

export class Sandboxes {
  readonly #layout: Layout;
  readonly #trash: Trash;
  readonly #byId = new Map<string, Sandbox>();
  readonly #addresses = new Set<string>();
  #nextAddress = 0;

  constructor(layout: Layout, trash: Trash) {
    this.#layout = layout;
    this.#trash = trash;
  }

  /** Finds what earlier servers left. A sandbox without its description was never finished: it goes. */
  load(): void {
    for (const id of readdirSync(join(this.#layout.state, "sandbox"))) {
      const sandbox = readSandbox(this.#file(id));
      if (sandbox) this.#add(sandbox);
      else rmSync(this.#layout.sandbox(id), { recursive: true, force: true });
    }
    this.#sweepShm();
  }

  get(id: string): Sandbox | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<Sandbox> {
    return this.#byId.values();
  }

  /** Makes the sandbox of a pod, or gives the one that is there. */
  run(spec: SandboxSpec, nowMs: number): Sandbox {
    const id = spec.pod.uid;
    assert(/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(id), `pod uid ${JSON.stringify(id)} cannot be a file name`);
    const known = this.#byId.get(id);
    if (known?.ready) return known;
    const directory = this.#layout.sandbox(id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const sandbox: Sandbox = { id, spec, createdAtMs: nowMs, ip: known?.ip ?? (spec.hostNetwork ? "127.0.0.1" : this.#freeAddress()), shm: this.#makeShm(id, spec), ready: true };
    // The description comes last: without it the sandbox was never there.
    writeFileSync(join(directory, "hosts"), spec.hosts ?? readOr("/etc/hosts", "127.0.0.1\tlocalhost\n"));
    writeFileSync(join(directory, "hostname"), `${spec.hostNetwork ? hostname() : spec.hostname}\n`);
    writeFileSync(join(directory, "resolv.conf"), spec.resolvConf ?? readOr("/etc/resolv.conf", ""));
    this.#write(sandbox);
    this.#add(sandbox);
    return sandbox;
  }

  markStopped(id: string): void {
    const sandbox = this.#byId.get(id);
    if (!sandbox?.ready) return;
    sandbox.ready = false;
    this.#write(sandbox);
  }

  remove(id: string): void {
    const sandbox = this.#byId.get(id);
    if (!sandbox) return;
    if (sandbox.shm !== SHM) rmSync(sandbox.shm, { recursive: true, force: true });
    this.#trash.throwAway(this.#layout.sandbox(id));
    this.#byId.delete(id);
    this.#addresses.delete(sandbox.ip);
  }

  #file(id: string): string {
    return join(this.#layout.sandbox(id), "sandbox.json");
  }

  #write(sandbox: Sandbox): void {
    const file = this.#file(sandbox.id);
    writeFileSync(`${file}.new`, JSON.stringify(sandbox), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  #add(sandbox: Sandbox): void {
    this.#byId.set(sandbox.id, sandbox);
    if (!sandbox.spec.hostNetwork) this.#addresses.add(sandbox.ip);
  }

  #freeAddress(): string {
    for (let tries = 0; tries < ADDRESSES; tries++) {
      this.#nextAddress = (this.#nextAddress + 1) % ADDRESSES;
      const last = this.#nextAddress & 255;
      const n = FIRST_ADDRESS + this.#nextAddress;
      const ip = [24, 16, 8, 0].map((shift) => (n >> shift) & 255).join(".");
      if (last !== 0 && last !== 255 && !this.#addresses.has(ip)) return ip;
    }
    throw new Error(`all ${ADDRESSES} pod addresses are in use`);
  }

  /** All /dev/shm directories of this state directory, in memory; `state` in it says whose they are. */
  #shmParent(): string {
    return join(SHM, `stint-sandbox-${createHash("sha256").update(this.#layout.state).digest("hex").slice(0, 12)}`);
  }

  #makeShm(id: string, spec: SandboxSpec): string {
    if (spec.hostIpc) return SHM;
    let shm = join(this.#shmParent(), id);
    try {
      mkdirSync(this.#shmParent(), { mode: 0o711, recursive: true });
      mkdirSync(shm, { recursive: true });
      if (!existsSync(join(this.#shmParent(), "state"))) symlinkSync(this.#layout.state, join(this.#shmParent(), "state"));
    } catch {
      shm = join(this.#layout.sandbox(id), "shm");
      mkdirSync(shm, { recursive: true });
    }
    chmodSync(shm, 0o1777);
    return shm;
  }

  /** Removes what is left of pods that are gone, here and where a whole state directory is gone: memory is not to be lost by a crash. */
  #sweepShm(): void {
    if (!existsSync(SHM)) return;
    for (const name of readdirSync(SHM).filter((n) => n.startsWith("stint-sandbox-"))) {
      const parent = join(SHM, name);
      const isOurs = parent === this.#shmParent();
      try {
        if (!isOurs && !existsSync(join(parent, "state"))) rmSync(parent, { recursive: true, force: true });
        if (isOurs) for (const id of readdirSync(parent)) if (id !== "state" && !this.#byId.has(id)) rmSync(join(parent, id), { recursive: true, force: true });
      } catch {
        // Another user's.
      }
    }
  }

  /** Gives up the directory in memory when no pod has a part of it. */
  close(): void {
    const parent = this.#shmParent();
    if (this.#byId.size === 0) rmSync(parent, { recursive: true, force: true });
  }
}

function readSandbox(file: string): Sandbox | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Sandbox;
  } catch {
    return undefined;
  }
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return otherwise;
  }
}
