/** The text of a kubeconfig: one cluster, one user, one context. JSON strings are YAML, so quoting is JSON's. */
export interface KubeconfigOptions {
  /** https://127.0.0.1:6443 */
  readonly server: string;
  /** Also the context's and the cluster's name. */
  readonly name: string;
  readonly user: string;
  readonly certificateAuthority: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
  readonly namespace?: string;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

export function kubeconfigText(options: KubeconfigOptions): string {
  const { clientCertificate, clientKey, token, namespace } = options;
  const name = JSON.stringify(options.name);
  const user = JSON.stringify(options.user);
  return [
    "apiVersion: v1",
    "kind: Config",
    "clusters:",
    "- cluster:",
    `    certificate-authority-data: ${base64(options.certificateAuthority)}`,
    `    server: ${options.server}`,
    `  name: ${name}`,
    "contexts:",
    "- context:",
    `    cluster: ${name}`,
    ...(namespace === undefined ? [] : [`    namespace: ${JSON.stringify(namespace)}`]),
    `    user: ${user}`,
    `  name: ${name}`,
    `current-context: ${name}`,
    "users:",
    `- name: ${user}`,
    "  user:",
    ...(clientCertificate === undefined ? [] : [`    client-certificate-data: ${base64(clientCertificate)}`]),
    ...(clientKey === undefined ? [] : [`    client-key-data: ${base64(clientKey)}`]),
    ...(token === undefined ? [] : [`    token: ${JSON.stringify(token)}`]),
    "",
  ].join("\n");
}
