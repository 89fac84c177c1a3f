/**
 * Makes this machine known as a Node, and keeps it known with a Lease: one small write every ten seconds, a whole status every five minutes.
 * Follows kubernetes pkg/kubelet/kubelet_node_status.go (registerWithAPIServer) and component-helpers/apimachinery/lease.
 */
import type { Lease, Node } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { LEASES, NAMESPACES, NODES } from "../../api/resource.ts";
import { isAlreadyExists, isNotFound } from "../../api/status-error.ts";
import { formatMicroTime } from "../../api/time.ts";
import { sleep, type Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { Client } from "../../client/client.ts";
import { nodeLabels, nodeObject, nodeStatus, type NodeFacts } from "./node-object.ts";

const RENEW_MS = 10_000;
const STATUS_EVERY = 30;
const LEASE_SECONDS = 40;
const LEASE_NAMESPACE = "kube-node-lease";

export interface RegistrationDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly facts: Omit<NodeFacts, "now">;
}

/** Creates the node, or brings one that is there up to date. Resolves with it. */
export async function registerNode({ client, clock, facts }: RegistrationDeps): Promise<Stored<Node>> {
  const now = { ...facts, now: clock.now() };
  try {
    const created = await client.create(NODES, "", nodeObject(now));
    // A server may take a status only on its own road.
    return created.status?.allocatable ? created : await writeStatus(client, now);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  const ref = { namespace: "", name: facts.name };
  await client.patch(NODES, ref, "merge", { metadata: { labels: nodeLabels(facts) } });
  return writeStatus(client, now);
}

async function writeStatus(client: Client, facts: NodeFacts): Promise<Stored<Node>> {
  const ref = { namespace: "", name: facts.name };
  const old = await client.get(NODES, ref);
  const status = nodeStatus(facts, old.status?.conditions ?? []);
  return client.patch(NODES, ref, "merge", { status }, { subresource: "status" });
}

const leaseOf = (node: Stored<Node>, renewTime: string): Lease => ({
  apiVersion: "coordination.k8s.io/v1", kind: "Lease",
  metadata: { name: node.metadata.name, namespace: LEASE_NAMESPACE, ownerReferences: [{ apiVersion: "v1", kind: "Node", name: node.metadata.name, uid: node.metadata.uid }] },
  spec: { holderIdentity: node.metadata.name, leaseDurationSeconds: LEASE_SECONDS, renewTime },
});

async function renew(client: Client, node: Stored<Node>, clock: Clock): Promise<void> {
  const renewTime = formatMicroTime(clock.now());
  const ref = { namespace: LEASE_NAMESPACE, name: node.metadata.name };
  try {
    await client.patch(LEASES, ref, "merge", { spec: { renewTime, holderIdentity: node.metadata.name } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await ensureNamespace(client);
    await client.create(LEASES, LEASE_NAMESPACE, leaseOf(node, renewTime));
  }
}

async function ensureNamespace(client: Client): Promise<void> {
  try {
    await client.create(NAMESPACES, "", { apiVersion: "v1", kind: "Namespace", metadata: { name: LEASE_NAMESPACE }, spec: {} });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** Renews until `signal` aborts. A failure is told and tried again at the next turn. */
export async function keepNode(deps: RegistrationDeps, node: Stored<Node>, signal: AbortSignal): Promise<void> {
  const { client, clock, logger, facts } = deps;
  for (let turn = 0; !signal.aborted; turn++) {
    try {
      await renew(client, node, clock);
      if (turn % STATUS_EVERY === STATUS_EVERY - 1) await writeStatus(client, { ...facts, now: clock.now() });
    } catch (error) {
      if (isNotFound(error)) await registerNode(deps).catch(() => undefined);
      logger.warn("the node's lease could not be renewed", { node: facts.name, error: String(error) });
    }
    await sleep(clock, RENEW_MS, signal);
  }
}
