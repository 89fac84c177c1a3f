/**
 * What a pod's imagePullSecrets say about the registry of an image. Follows kubernetes pkg/credentialprovider (keyring).
 */
import type { Pod, Secret } from "../../api/generated/types.ts";
import { secretBytes, type Configuration } from "../configuration.ts";
import type { RegistryCredential } from "../image-service.ts";

interface Auth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
}

const HUB = new Set(["index.docker.io", "docker.io", "registry-1.docker.io"]);

/** The registry of a reference, as docker's configuration files name it. */
function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

const hostOf = (key: string): string => key.replace(/^https?:\/\//, "").split("/")[0] ?? "";

function authsOf({ data = {} }: Secret): Readonly<Record<string, Auth>> {
  const modern = data[".dockerconfigjson"];
  const old = data[".dockercfg"];
  try {
    if (modern !== undefined) return (JSON.parse(secretBytes(modern).toString()) as { auths?: Record<string, Auth> }).auths ?? {};
    return old === undefined ? {} : (JSON.parse(secretBytes(old).toString()) as Record<string, Auth>);
  } catch {
    return {};
  }
}

function credentialOf({ username, password, auth }: Auth): RegistryCredential | undefined {
  if (username !== undefined && password !== undefined) return { username, password };
  const text = auth === undefined ? "" : Buffer.from(auth, "base64").toString();
  const at = text.indexOf(":");
  return at < 0 ? undefined : { username: text.slice(0, at), password: text.slice(at + 1) };
}

export async function credentialsOf(configuration: Configuration, pod: Pod, image: string): Promise<readonly RegistryCredential[]> {
  const registry = registryOf(image);
  const found: RegistryCredential[] = [];
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    const secret = name ? await configuration.secret(pod.metadata.namespace ?? "", name) : undefined;
    for (const [key, auth] of Object.entries(secret ? authsOf(secret) : {})) {
      const host = hostOf(key);
      const credential = host === registry || (HUB.has(host) && HUB.has(registry)) ? credentialOf(auth) : undefined;
      if (credential) found.push(credential);
    }
  }
  return found;
}
