/**
 * What the command line gets: a running stint, whichever way it was opened.
 */
import type { Readable } from "node:stream";
import type { Event, Job, Pod } from "../api/generated/types.ts";
import type { KubeObject, Stored } from "../api/object.ts";
import type { Client } from "../client/client.ts";
import type { LogOptions } from "../resources/pods/streams.ts";

export interface Observer {
  /** `gone`: it was deleted; the object is its last state. */
  readonly onJob: (job: Stored<Job>, gone: boolean) => void;
  readonly onPod: (pod: Stored<Pod>, gone: boolean) => void;
  readonly onEvent: (event: Stored<Event>) => void;
}

export interface Created {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

export interface Stint {
  readonly client: Client;
  /** Resolves with the reason when a part that it can't go on without has failed: nothing more will happen then. */
  readonly failed: Promise<Error>;
  /** Decodes strictly, as the server does with `fieldValidation=Strict`, and creates. Rejects with StatusError. */
  createManifest(object: KubeObject, namespace: string): Promise<Created>;
  /** Resolves when pods can be created in a namespace (its default ServiceAccount is there). */
  namespaceReady(name: string): Promise<void>;
  /** What is there and what changes from now on. */
  observe(observer: Observer): void;
  /** A container's log; rejects with StatusError where there is none. */
  logs(pod: { readonly namespace: string; readonly name: string; readonly uid: string }, options: LogOptions, signal: AbortSignal): Promise<Readable>;
  /** Stops everything that this stint started. */
  close(): Promise<void>;
}
