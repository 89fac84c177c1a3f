/**
 * OpenAPI documents: the v3 index and a document per group version, and v2 in one piece. Made when first asked for, kept as text.
 * Follows kube-openapi pkg/handler3 (the index and its hashes) and pkg/builder3.
 */
import { createHash } from "node:crypto";
import type { Discovery, ServedVersion } from "../discovery/discovery.ts";
import { operationsOf, type Operations, smallOperations } from "./operations.ts";
import { pathsV2, pathsV3, schemasOf } from "./paths.ts";
import { openApiSchema, type OpenApiVersion, withReferences, type Descriptions } from "./schemas.ts";

export interface OpenApiOptions {
  readonly discovery: Discovery;
  /** `v1.36.2`. */
  readonly gitVersion: string;
  /** Texts of types and fields; called once, when a document is first made. */
  readonly descriptions?: () => Descriptions;
}

/** A document as JSON, and the hash under which clients may cache it for ever. */
export interface OpenApiDocument {
  readonly version: OpenApiVersion;
  readonly text: string;
  readonly hash: string;
}

const SECURITY = { BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" } };
const hashOf = (text: string): string => createHash("sha512").update(text).digest("hex").toUpperCase();

export class OpenApi {
  readonly #options: OpenApiOptions;
  readonly #documents = new Map<string, OpenApiDocument>();
  #v2: OpenApiDocument | undefined;
  #descriptions: Descriptions | undefined;

  constructor(options: OpenApiOptions) {
    this.#options = options;
  }

  /** `/openapi/v3`: every document with its address. */
  index(): string {
    const entry = (path: string) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#hash(path)}` }] as const;
    return JSON.stringify({ paths: Object.fromEntries(this.#paths().map(entry)) });
  }

  /** `/openapi/v3/PATH`, path as in the index (`apis/batch/v1`); undefined for what is not there. */
  document(path: string): OpenApiDocument | undefined {
    if (!this.#paths().includes(path)) return undefined;
    let found = this.#documents.get(path);
    if (!found) this.#documents.set(path, (found = { version: "v3", text: JSON.stringify(this.#make(path)), hash: this.#hash(path) }));
    return found;
  }

  /** `/openapi/v2`, for older clients. */
  v2(): OpenApiDocument {
    if (!this.#v2) {
      const text = JSON.stringify(this.#makeV2());
      this.#v2 = { version: "v2", text, hash: hashOf(text) };
    }
    return this.#v2;
  }

  #makeV2(): object {
    const all = this.#paths().map((path) => this.#operations(path));
    const names = withReferences(all.flatMap(schemasOf));
    const definitions = Object.fromEntries(names.map((name) => [name, openApiSchema(name, "v2", this.#texts())]));
    const { paths, parameters } = pathsV2(all, this.#texts());
    return { swagger: "2.0", info: this.#info(), paths, definitions, parameters, securityDefinitions: SECURITY, security: [{ BearerToken: [] }] };
  }

  /** Documents change with the version, with what is served and with the texts that are at hand: the hash says so without making them all. */
  #hash(path: string): string {
    const served = this.#servedAt(path)?.resources.map((r) => [r.name, r.verbs]);
    return hashOf(JSON.stringify([path, this.#options.gitVersion, served, this.#texts()["io.k8s.api.batch.v1.Job"] !== undefined]));
  }

  #texts(): Descriptions {
    return (this.#descriptions ??= this.#options.descriptions?.() ?? {});
  }

  #info(): object {
    return { title: "Kubernetes", version: this.#options.gitVersion.replace(/^v(\d+\.\d+).*/, "$1") };
  }

  #servedAt(path: string): ServedVersion | undefined {
    return this.#options.discovery.versions().find((v) => path === (v.group === "" ? `api/${v.version}` : `apis/${v.group}/${v.version}`));
  }

  #paths(): readonly string[] {
    const versions = this.#options.discovery.versions();
    const documents = versions.flatMap((v) => (v.group === "" ? ["api", `api/${v.version}`] : [`apis/${v.group}`, `apis/${v.group}/${v.version}`]));
    return [...new Set([...documents, "apis", "version", ".well-known/openid-configuration", "openid/v1/jwks"])].sort();
  }

  #operations(path: string): Operations {
    const served = this.#servedAt(path);
    return served ? operationsOf(served) : smallOperations(path);
  }

  #make(path: string): object {
    const served = this.#servedAt(path);
    const operations = this.#operations(path);
    const names = withReferences(schemasOf(operations));
    const schemas = Object.fromEntries(names.map((name) => [name, openApiSchema(name, "v3", this.#texts(), served)]));
    const components = { ...(names.length > 0 && { schemas }), securitySchemes: SECURITY };
    return { openapi: "3.0.0", info: this.#info(), paths: pathsV3(operations, this.#texts()), components };
  }
}
