/**
 * Tells kubelets, by an annotation of their nodes, how long they may trust what they have read of Secrets and ConfigMaps: the longer, the more nodes.
 * Follows kubernetes pkg/controller/ttl/ttl_controller.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import { NODES } from "../../api/resource.ts";
import { isNotFound } from "../../api/status-error.ts";
import type { Controller, ControllerContext } from "../framework/controller.ts";

const ANNOTATION = "node.alpha.kubernetes.io/ttl";

const STEPS: readonly { readonly nodesMax: number; readonly seconds: number }[] = [
  { nodesMax: 100, seconds: 0 },
  { nodesMax: 500, seconds: 15 },
  { nodesMax: 1000, seconds: 30 },
  { nodesMax: 2000, seconds: 60 },
];
const SECONDS_MAX = 300;

/** In seconds, for a cluster of so many nodes. */
export const decideNodeTtl = (nodes: number): number => STEPS.find(({ nodesMax }) => nodes <= nodesMax)?.seconds ?? SECONDS_MAX;

/** Makes the controller; it is to be run when the informers are synced. */
export function openNodeTtlController({ client, informers, clock, logger }: ControllerContext): readonly Controller[] {
  const queue = new WorkQueue({ clock });
  const nodes = informers.of(NODES);
  nodes.on({ onSet: (node, old) => (!old || old.metadata.annotations !== node.metadata.annotations) && queue.add(node.metadata.name) });

  async function reconcile(name: string): Promise<void> {
    const node = nodes.get(name);
    const ttl = String(decideNodeTtl(nodes.list().length));
    if (!node || node.metadata.annotations?.[ANNOTATION] === ttl) return;
    try {
      await client.patch(NODES, { namespace: "", name }, "strategic", { metadata: { annotations: { [ANNOTATION]: ttl } } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return [{ name: "node-ttl", queue, workers: 2, reconcile, logger }];
}
