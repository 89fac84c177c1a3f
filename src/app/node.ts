/**
 * The node: scheduler, agent and container runtime, wired to a control plane.
 */
import { chmod, mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemIds } from "../base/chance.ts";
import { systemClock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { ObjectReference } from "../api/generated/types.ts";
import { CONFIG_MAPS, NODES, PODS, SECRETS, SERVICES } from "../api/resource.ts";
import { type Agent, openAgent } from "../agent/agent.ts";
import type { EventRecorder } from "../agent/ports.ts";
import { openScheduler } from "../scheduler/scheduler.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Part, Settings, Userland } from "./configuration.ts";
import { machineAddress } from "./bootstrap.ts";
import { openImages } from "./images.ts";

export interface NodeOptions {
  readonly plane: ControlPlane;
  readonly logger: Logger;
  /** Directory of the agent's and the runtime's state. */
  readonly stateDirectory: string;
  readonly dataDirectory: string;
  readonly disabled: ReadonlySet<Part>;
  readonly userland: Userland;
  readonly strictPull: boolean;
  readonly registryMirrors: Settings["registryMirrors"];
  readonly onNotice: (text: string) => void;
}

export interface RunningNode {
  readonly agent: Agent | undefined;
  /** Runs until `signal` aborts. Rejects where the agent can't work on this machine. */
  run(signal: AbortSignal): Promise<void>;
}

/** Upstream's node names are host names in lower case. */
export const nodeName = (): string => hostname().toLowerCase();

/** The agent tells of objects by reference; the recorder wants the resource. */
function agentRecorder(plane: ControlPlane, host: string): EventRecorder {
  const recorder = plane.recorderFor("kubelet", host);
  return {
    record({ namespace, name, uid, fieldPath }: ObjectReference, type, reason, message) {
      const metadata = { ...(namespace !== undefined && { namespace }), ...(name !== undefined && { name }), ...(uid !== undefined && { uid }) };
      recorder.event(PODS, { metadata }, type, reason, message, fieldPath === undefined ? {} : { fieldPath });
    },
  };
}

export async function openNode(options: NodeOptions): Promise<RunningNode> {
  const { plane, logger, disabled } = options;
  const { informers } = plane;
  const name = nodeName();
  const scheduler = disabled.has("scheduler") ? undefined : openScheduler({ client: plane.clientFor("kube-scheduler"), informers: { pods: informers.of(PODS), nodes: informers.of(NODES) }, clock: systemClock, ids: systemIds, logger, instance: name });
  let agent: Agent | undefined;
  if (!disabled.has("agent")) {
    const images = await openImages(options.dataDirectory, options.registryMirrors);
    const { openSandboxRuntime } = await import("../runtime/sandbox/sandbox-runtime.ts");
    const runtime = openSandboxRuntime({ stateDir: join(options.stateDirectory, "runtime"), clock: systemClock, logger });
    const address = machineAddress();
    // Its users' Secrets and logs lie in it: for nobody else, whatever the data directory's own mode is.
    await mkdir(join(options.stateDirectory, "agent"), { recursive: true });
    await chmod(join(options.stateDirectory, "agent"), 0o700);
    agent = openAgent({
      client: plane.clientFor("kubelet"), runtime, images, clock: systemClock, ids: systemIds, logger, nodeName: name, recorder: agentRecorder(plane, name),
      informers: { pods: informers.of(PODS), services: informers.of(SERVICES), configMaps: informers.of(CONFIG_MAPS), secrets: informers.of(SECRETS) },
      options: {
        stateDir: join(options.stateDirectory, "agent"),
        userland: options.userland,
        strictPull: options.strictPull,
        onHostUserland: (image, why) => options.onNotice(`${image}: no registry can be reached; using this machine's own userland, read-only (${why})`),
        ...(address !== undefined && { nodeAddresses: [address] }),
      },
    });
  }
  const running = agent;
  return {
    agent,
    run: async (signal) => {
      await Promise.all([scheduler?.run(signal), running?.run(signal)]);
    },
  };
}
