/**
 * As whom a container runs: what its security context and its image say, looked up in the image's /etc/passwd and /etc/group.
 * Follows kubernetes pkg/kubelet/kuberuntime/security_context.go and what containerd does with `user`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Container, Pod } from "../../api/generated/types.ts";
import { podFullName } from "../pod/world.ts";
import type { Stored } from "../../api/object.ts";
import { ConfigError } from "./environment.ts";

export interface UserDatabase {
  readonly passwd: string;
  readonly group: string;
}

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
}

interface Entry {
  readonly name: string;
  readonly fields: readonly string[];
}

const entries = (text: string): readonly Entry[] =>
  text.split("\n").filter((line) => line.includes(":")).map((line) => { const [name = "", ...fields] = line.split(":"); return { name, fields }; });

/** The users of a root made of layers: the topmost layer that has the file. */
export function readUserDatabase(layers: readonly string[]): UserDatabase {
  const read = (path: string): string => {
    for (const layer of layers.toReversed()) {
      try {
        return readFileSync(join(layer, path), "utf8");
      } catch {
        // This layer does not have it, or has it as something else: the next one below may.
      }
    }
    return "";
  };
  return { passwd: read("etc/passwd"), group: read("etc/group") };
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

export interface UserRequest {
  readonly pod: Stored<Pod>;
  readonly container: Container;
  /** `user` of the image: `name`, `uid`, `user:group`. */
  readonly imageUser: string;
  readonly database: UserDatabase;
}

/** runAsNonRoot is kept, or the container is refused. Follows kuberuntime verifyRunAsNonRoot. */
function verifyNonRoot({ pod, container, imageUser }: UserRequest, runAsUser: number | undefined): void {
  const nonRoot = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  if (!nonRoot) return;
  const where = `(pod: "${podFullName(pod)}", container: ${container.name})`;
  if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (runAsUser !== undefined) return;
  const [user = ""] = imageUser.split(":");
  if (user === "" || user === "0") throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  if (!isNumber(user)) throw new ConfigError(`container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${where}`);
}

/** Who runs the container. Throws ConfigError where runAsNonRoot forbids it, or a name is not known. */
export function resolveUser(request: UserRequest): ContainerUser {
  const { pod, container, imageUser, database } = request;
  const ofPod = pod.spec.securityContext;
  const runAsUser = container.securityContext?.runAsUser ?? ofPod?.runAsUser;
  verifyNonRoot(request, runAsUser);
  const runAsGroup = container.securityContext?.runAsGroup ?? ofPod?.runAsGroup;
  const [imageName = "", imageGroup = ""] = imageUser.split(":");
  const name = runAsUser === undefined ? imageName || "0" : String(runAsUser);
  const users = entries(database.passwd);
  const found = isNumber(name) ? users.find((u) => u.fields[1] === name) : users.find((u) => u.name === name);
  if (!found && !isNumber(name)) throw new ConfigError(`unable to find user ${name}: no matching entries in passwd file`);
  const uid = Number(found?.fields[1] ?? name);
  const gid = runAsGroup ?? groupOf(request, imageGroup, runAsUser === undefined) ?? Number(found?.fields[2] ?? 0);
  return { uid, gid, groups: supplementalGroups(request, found?.name, gid), home: found?.fields[4] || "/" };
}

function groupOf({ database }: UserRequest, group: string, wanted: boolean): number | undefined {
  if (!wanted || group === "") return undefined;
  if (isNumber(group)) return Number(group);
  const found = entries(database.group).find((g) => g.name === group);
  if (!found) throw new ConfigError(`unable to find group ${group}: no matching entries in group file`);
  return Number(found.fields[1]);
}

function supplementalGroups({ pod, database }: UserRequest, user: string | undefined, gid: number): readonly number[] {
  const context = pod.spec.securityContext;
  const ofImage = context?.supplementalGroupsPolicy === "Strict" || user === undefined ? [] : entries(database.group).filter((g) => g.fields[2]?.split(",").includes(user)).map((g) => Number(g.fields[1]));
  const wanted = [...ofImage, ...(context?.supplementalGroups ?? []), ...(context?.fsGroup === undefined ? [] : [context.fsGroup])];
  // The process has its own group among the others, as containerd gives it.
  return [...new Set([gid, ...wanted])];
}
