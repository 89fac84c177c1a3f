/**
 * The parameters of the API's operations. Their texts are those of the option types' fields, found by name in the documentation (`parameters`).
 * Follows apimachinery pkg/apis/meta/v1 (ListOptions, DeleteOptions, PatchOptions …) and api core/v1 (PodLogOptions, PodExecOptions …).
 */
import { table } from "../../base/own.ts";
export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path";
  readonly type: "string" | "boolean" | "integer";
  /** Where its text is, when that is not under its name. */
  readonly textOf?: string;
  /** A text of its own. */
  readonly text?: string;
}

export const query = (name: string, type: Parameter["type"] = "string", textOf?: string): Parameter => ({ name, in: "query", type, ...(textOf !== undefined && { textOf }) });
export const inPath = (name: string): Parameter => ({ name, in: "path", type: "string" });

export const WRITE: readonly Parameter[] = [query("dryRun"), query("fieldManager"), query("fieldValidation")];
export const ONE_PATCH: readonly Parameter[] = [query("dryRun"), query("fieldManager", "string", "patch.fieldManager"), query("fieldValidation"), query("force", "boolean")];
export const LIST: readonly Parameter[] = [
  query("allowWatchBookmarks", "boolean"), query("continue"), query("fieldSelector"), query("labelSelector"), query("limit", "integer"), query("resourceVersion"), query("resourceVersionMatch"),
  query("sendInitialEvents", "boolean"), query("shardSelector"), query("timeoutSeconds", "integer"), query("watch", "boolean"),
];
export const DELETE: readonly Parameter[] = [
  query("dryRun"), query("gracePeriodSeconds", "integer"), query("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"), query("orphanDependents", "boolean"), query("propagationPolicy"),
];

/** The rest of a proxied path. */
export const PROXY_PATH: Parameter = { ...inPath("path"), textOf: "proxy.path" };

interface Connect {
  /** What is put behind the kind's name to call its options. */
  readonly kind: string;
  readonly methods: readonly string[];
  readonly hasPath?: true;
  readonly parameters: (kind: string) => readonly Parameter[];
}

const STREAMED = ["get", "post"];
const PROXIED = ["get", "put", "post", "delete", "patch", "head", "options"];
const streams = (owner: string): readonly Parameter[] => ["stderr", "stdin", "stdout", "tty"].map((name) => query(name, "boolean", `${owner}.${name}`));

/** Subresources that are connections. */
export const CONNECT: Readonly<Record<string, Connect>> = table({
  attach: { kind: "AttachOptions", methods: STREAMED, parameters: () => [query("container", "string", "attach.container"), ...streams("attach")] },
  exec: { kind: "ExecOptions", methods: STREAMED, parameters: () => [query("command", "string", "exec.command"), query("container", "string", "exec.container"), ...streams("exec")] },
  portforward: { kind: "PortForwardOptions", methods: STREAMED, parameters: () => [query("ports", "integer", "portforward.ports")] },
  proxy: { kind: "ProxyOptions", methods: PROXIED, hasPath: true, parameters: (kind) => [query("path", "string", `proxy.${kind}.path`)] },
});

/** Of a pod's log. */
export const LOG: readonly Parameter[] = (
  [["container", "string"], ["follow", "boolean"], ["insecureSkipTLSVerifyBackend", "boolean"], ["limitBytes", "integer"], ["previous", "boolean"], ["sinceSeconds", "integer"], ["stream", "string"], ["tailLines", "integer"], ["timestamps", "boolean"]] as const
).map(([name, type]) => query(name, type, `log.${name}`));
