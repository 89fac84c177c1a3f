/**
 * Gives every namespace its ServiceAccount `default`, and gives it back when it was deleted.
 * Follows kubernetes pkg/controller/serviceaccount/serviceaccounts_controller.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import { NAMESPACES, SERVICE_ACCOUNTS } from "../../api/resource.ts";
import { isAlreadyExists } from "../../api/status-error.ts";
import type { Controller, ControllerContext } from "../framework/controller.ts";
import { isNamespaceGoing } from "../framework/namespace-going.ts";

const NAME = "default";

/** Makes the controller; it is to be run when the informers are synced. */
export function openServiceAccountController({ client, informers, clock, logger }: ControllerContext): readonly Controller[] {
  const queue = new WorkQueue({ clock });
  const namespaces = informers.of(NAMESPACES);
  const accounts = informers.of(SERVICE_ACCOUNTS);
  namespaces.on({ onSet: (namespace) => queue.add(namespace.metadata.name) });
  accounts.on({ onDelete: ({ metadata }) => metadata.name === NAME && queue.add(metadata.namespace ?? "") });

  async function reconcile(name: string): Promise<void> {
    const namespace = namespaces.get(name);
    if (!namespace || namespace.status?.phase === "Terminating" || accounts.get(`${name}/${NAME}`)) return;
    try {
      await client.create(SERVICE_ACCOUNTS, name, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: NAME, namespace: name } });
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceGoing(error)) throw error;
    }
  }
  return [{ name: "service-account", queue, workers: 5, reconcile, logger }];
}
