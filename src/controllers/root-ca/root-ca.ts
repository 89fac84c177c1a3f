/**
 * Publishes the server's CA certificate in every namespace, as ConfigMap `kube-root-ca.crt`, and puts it right when somebody changed it.
 * Follows kubernetes pkg/controller/certificates/rootcacertpublisher/publisher.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { ConfigMap } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { CONFIG_MAPS, NAMESPACES } from "../../api/resource.ts";
import { isAlreadyExists } from "../../api/status-error.ts";
import type { Controller, ControllerContext } from "../framework/controller.ts";
import { isNamespaceGoing } from "../framework/namespace-going.ts";

const NAME = "kube-root-ca.crt";
const DESCRIPTION = "kubernetes.io/description";
const DESCRIPTION_TEXT =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

export interface RootCaOptions {
  /** The CA's certificate (PEM). */
  readonly certificate: string;
}

/** What the ConfigMap should be; undefined when it is right already: another description is. */
export function decideRootCa(current: Stored<ConfigMap> | undefined, namespace: string, certificate: string): ConfigMap | undefined {
  const { data = {}, metadata } = current ?? {};
  const isRight = Object.keys(data).length === 1 && data["ca.crt"] === certificate && Boolean(metadata?.annotations?.[DESCRIPTION]);
  if (isRight) return undefined;
  const annotations = { ...metadata?.annotations, [DESCRIPTION]: DESCRIPTION_TEXT };
  return { apiVersion: "v1", kind: "ConfigMap", ...current, metadata: { ...metadata, name: NAME, namespace, annotations }, data: { "ca.crt": certificate } };
}

/** Makes the controller; it is to be run when the informers are synced. */
export function openRootCaController({ client, informers, clock, logger }: ControllerContext, { certificate }: RootCaOptions): readonly Controller[] {
  const queue = new WorkQueue({ clock });
  const namespaces = informers.of(NAMESPACES);
  const configMaps = informers.of(CONFIG_MAPS);
  const follow = ({ metadata }: Stored<ConfigMap>) => metadata.name === NAME && queue.add(metadata.namespace ?? "");
  namespaces.on({ onSet: (namespace) => queue.add(namespace.metadata.name) });
  configMaps.on({ onSet: follow, onDelete: follow });

  async function reconcile(name: string): Promise<void> {
    const namespace = namespaces.get(name);
    if (!namespace || namespace.status?.phase === "Terminating") return;
    const current = configMaps.get(`${name}/${NAME}`);
    const wanted = decideRootCa(current, name, certificate);
    if (!wanted) return;
    try {
      await (current ? client.update(CONFIG_MAPS, wanted) : client.create(CONFIG_MAPS, name, wanted));
    } catch (error) {
      if (!isAlreadyExists(error) && !isNamespaceGoing(error)) throw error;
    }
  }
  return [{ name: "root-ca", queue, workers: 5, reconcile, logger }];
}
