/**
 * Image references: `alpine`, `docker.io/library/alpine:3.20`, `localhost:5000/a/b@sha256:…`, and their one normal form.
 * Follows distribution/reference (grammar and the Docker Hub's short names).
 */
import { PullError } from "./images.ts";

export interface Reference {
  /** `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** `library/alpine`. */
  readonly repository: string;
  /** Absent where the reference names a digest only. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const DOMAIN = "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?";
const GRAMMAR = new RegExp(`^(?:(${DOMAIN})/)?(${COMPONENT}(?:/${COMPONENT})*)(?::([\\w][\\w.-]{0,127}))?(?:@([a-z][a-z0-9]*(?:[+._-][a-z][a-z0-9]*)*:[0-9a-fA-F]{32,}))?$`);
const REPOSITORY_LENGTH_MAX = 255;

const isRegistry = (domain: string) => domain.includes(".") || domain.includes(":") || domain === "localhost" || domain !== domain.toLowerCase();

/** Parses and completes a reference; throws PullError "invalid-name" with containerd's words where it is none. */
export function parseReference(text: string): Reference {
  const match = GRAMMAR.exec(text);
  if (!match) throw new PullError("invalid-name", `couldn't parse image name "${text}": invalid reference format${text.toLowerCase() === text ? "" : ": repository name must be lowercase"}`);
  const [, domain, path = "", tag, digest] = match;
  const registryGiven = domain !== undefined && isRegistry(domain);
  const registry = registryGiven ? (domain === "index.docker.io" ? "docker.io" : domain) : "docker.io";
  const rest = domain !== undefined && !registryGiven ? `${domain}/${path}` : path;
  const repository = registry === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest;
  if (repository.length > REPOSITORY_LENGTH_MAX) throw new PullError("invalid-name", `couldn't parse image name "${text}": repository name must not be more than 255 characters`);
  return { registry, repository, tag: tag ?? (digest === undefined ? "latest" : undefined), digest };
}

/** The normal form: `docker.io/library/alpine:latest`, or with `@sha256:…` where a digest was named. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`}`;
}

export const normalise = (text: string): string => formatReference(parseReference(text));
