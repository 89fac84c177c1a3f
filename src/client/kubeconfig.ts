/**
 * Reads kubeconfig files: which server, how it is known, and who asks. Credential plugins (`exec`, `auth-provider`) are not run.
 * Follows client-go tools/clientcmd: of several files the first that says something counts, and paths are relative to their file.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";

/** What is needed to talk to one cluster as one user. */
export interface Connection {
  /** `https://127.0.0.1:6443`, perhaps with a path. */
  readonly server: string;
  readonly namespace: string;
  /** PEM. */
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly tlsServerName?: string;
  readonly insecureSkipTlsVerify?: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

interface Named {
  readonly fields: Fields;
  /** The folder of the file that it stands in. */
  readonly folder: string;
}

interface Merged {
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, Named>;
  readonly users: ReadonlyMap<string, Named>;
  readonly contexts: ReadonlyMap<string, Named>;
}

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** Reads and merges the files, and resolves the context (`context`, or the current one). Throws one clear line where something is missing. */
export function loadKubeconfig(files: readonly string[], context?: string): Connection {
  const merged = merge(files.map((file) => ({ folder: dirname(resolve(file)), fields: read(file) })));
  const name = context ?? merged.currentContext;
  const found = merged.contexts.get(name);
  if (!found) throw new Error(name === "" ? `no current context in ${files.join(", ")}` : `context ${JSON.stringify(name)} is not in ${files.join(", ")}`);
  const { namespace } = found.fields;
  const [cluster, user] = [textOf(found.fields["cluster"]) ?? "", textOf(found.fields["user"]) ?? ""];
  const ofCluster = merged.clusters.get(cluster);
  if (!ofCluster) throw new Error(`cluster ${JSON.stringify(cluster)} of context ${JSON.stringify(name)} is not in ${files.join(", ")}`);
  return { ...clusterOf(ofCluster), ...userOf(merged.users.get(user)), namespace: textOf(namespace) ?? "default" };
}

function read(file: string): Fields {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`cannot read kubeconfig ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const document: unknown = parse(text);
  if (!isFields(document)) throw new Error(`${file} is not a kubeconfig`);
  return document;
}

function merge(files: readonly Named[]): Merged {
  const named = (list: string, member: string) => {
    const all = new Map<string, Named>();
    for (const { fields, folder } of files) {
      const entries = fields[list];
      for (const entry of Array.isArray(entries) ? (entries as unknown[]) : []) {
        if (!isFields(entry)) continue;
        const name = textOf(entry["name"]) ?? "";
        const body = entry[member];
        if (!all.has(name)) all.set(name, { fields: isFields(body) ? body : {}, folder });
      }
    }
    return all;
  };
  const currentContext = files.map(({ fields }) => textOf(fields["current-context"])).find((name) => name !== undefined) ?? "";
  return { currentContext, clusters: named("clusters", "cluster"), users: named("users", "user"), contexts: named("contexts", "context") };
}

/** PEM from `NAME-data` (base64), or from the file that `NAME` names. */
function pemOf({ fields, folder }: Named, name: string): string | undefined {
  const data = textOf(fields[`${name}-data`]);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const file = textOf(fields[name]);
  return file === undefined ? undefined : readFileSync(resolve(folder, file), "utf8");
}

/** Members that are there; the rest is left out. */
function present<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

function clusterOf(cluster: Named): Omit<Connection, "namespace"> {
  const server = textOf(cluster.fields["server"]);
  if (server === undefined) throw new Error("the kubeconfig's cluster has no server");
  return present<Omit<Connection, "namespace">>({
    server,
    certificateAuthority: pemOf(cluster, "certificate-authority"),
    tlsServerName: textOf(cluster.fields["tls-server-name"]),
    insecureSkipTlsVerify: cluster.fields["insecure-skip-tls-verify"] === true ? true : undefined,
  });
}

function userOf(user: Named | undefined): Partial<Connection> {
  if (!user) return {};
  const { fields, folder } = user;
  for (const plugin of ["exec", "auth-provider"]) {
    if (fields[plugin] !== undefined) throw new Error(`the kubeconfig's user wants the credential plugin ${JSON.stringify(plugin)}, which is not supported; use a token or a client certificate`);
  }
  const tokenFile = textOf(fields["tokenFile"]);
  return present<Partial<Connection>>({
    clientCertificate: pemOf(user, "client-certificate"),
    clientKey: pemOf(user, "client-key"),
    token: textOf(fields["token"]) ?? (tokenFile === undefined ? undefined : readFileSync(resolve(folder, tokenFile), "utf8").trim()),
    username: textOf(fields["username"]),
    password: textOf(fields["password"]),
  });
}
