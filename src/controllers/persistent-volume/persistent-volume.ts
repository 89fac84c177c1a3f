/**
 * Binds claims to volumes that are there, and keeps the phases of both.
 * Follows kubernetes pkg/controller/volume/persistentvolume/pv_controller.go; but where upstream looks at everything every 15 seconds, this
 * looks when something has changed.
 */
import { unreachable } from "../../base/assert.ts";
import { WorkQueue } from "../../base/work-queue.ts";
import { keyOf, type Stored } from "../../api/object.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES } from "../../api/resource.ts";
import { isConflict, isNotFound } from "../../api/status-error.ts";
import { formatTime } from "../../api/time.ts";
import type { Informer } from "../../client/informer.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import type { Controller, ControllerContext, ReconcileResult } from "../framework/controller.ts";
import { type Claim, claimBoundTo, claimsOf, decideClaim, decideVolume, unbound, type Volume, type VolumeEvent, volumeBoundTo } from "./decide.ts";

const PROVISIONER_ANNOTATIONS = ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];
const AGAIN_MS = 50;

/** Pods by the claims that they use. */
export const podsOfClaims = (informers: ControllerContext["informers"]): Informer<Pod> => informers.of(PODS, { "persistent-volume/claim": claimsOf });

export const podsOf = (pods: Informer<Pod>, claim: Claim): readonly Stored<Pod>[] => pods.byIndex("persistent-volume/claim", keyOf(claim));

/** Makes the controller; it is to be run when the informers are synced. */
export function openPersistentVolumeController(context: ControllerContext): readonly Controller[] {
  return [new PersistentVolumeBinder(context).controller()];
}

class PersistentVolumeBinder {
  readonly #context: ControllerContext;
  readonly #queue: WorkQueue;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;
  readonly #pods: Informer<Pod>;

  constructor(context: ControllerContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.#queue = new WorkQueue({ clock });
    this.#claims = informers.of(PERSISTENT_VOLUME_CLAIMS);
    this.#volumes = informers.of(PERSISTENT_VOLUMES);
    this.#pods = podsOfClaims(informers);
  }

  controller(): Controller {
    const waiting = () => this.#claims.list().filter((claim) => claim.status?.phase === "Pending");
    const wakeWaiting = () => waiting().forEach((claim) => this.#queue.add(claimKey(claim)));
    this.#claims.on({
      onSet: (claim) => this.#queue.add(claimKey(claim)),
      onDelete: (claim) => this.#volumes.list().filter((v) => v.spec?.claimRef?.uid === claim.metadata.uid).forEach((v) => this.#queue.add(volumeKey(v))),
    });
    this.#volumes.on({
      onSet: (volume, old) => {
        this.#queue.add(volumeKey(volume));
        if (volume.status?.phase !== old?.status?.phase) wakeWaiting();
      },
      onDelete: ({ metadata }) => this.#claims.list().filter((claim) => claim.spec?.volumeName === metadata.name).forEach((claim) => this.#queue.add(claimKey(claim))),
    });
    this.#context.informers.of(STORAGE_CLASSES).on({ onSet: wakeWaiting });
    this.#pods.on({ onSet: (pod, old) => !old && claimsOf(pod).forEach((key) => this.#queue.add(`claim/${key}`)) });
    // One at a time: two claims must not take one volume.
    return { name: "persistent-volume", queue: this.#queue, workers: 1, reconcile: (key) => this.#reconcile(key), logger: this.#context.logger };
  }

  async #reconcile(key: string): Promise<ReconcileResult> {
    const [kind, ...rest] = key.split("/");
    try {
      if (kind === "volume") await this.#syncVolume(rest.join("/"));
      else await this.#syncClaim(rest.join("/"));
    } catch (error) {
      // The cache was behind: it knows better in a moment.
      if (isConflict(error)) return { requeueAfterMs: AGAIN_MS };
      if (!isNotFound(error)) throw error;
    }
    return {};
  }

  #tell(claim: Claim, event: VolumeEvent | undefined): void {
    if (event) this.#context.recorder.event(PERSISTENT_VOLUME_CLAIMS, claim, event.type, event.reason, event.message);
  }

  async #syncClaim(key: string): Promise<void> {
    const claim = this.#claims.get(key);
    if (!claim) return;
    const { client, informers } = this.#context;
    const step = decideClaim({ claim, volumes: this.#volumes.list(), classes: informers.of(STORAGE_CLASSES).list(), pods: podsOf(this.#pods, claim) });
    switch (step.kind) {
      case "bind":
        return this.#bind(claim, step.volume);
      case "phase":
        if (step.phase === "Pending" || claim.status?.phase !== step.phase) this.#tell(claim, step.event);
        return this.#setClaim(claim, { phase: step.phase });
      case "assignClass":
        return void (await client.update(PERSISTENT_VOLUME_CLAIMS, { ...claim, spec: { ...claim.spec, storageClassName: step.name } }));
      case "askProvisioner": {
        const annotations = Object.fromEntries(PROVISIONER_ANNOTATIONS.map((name) => [name, step.provisioner]));
        const isAsked = PROVISIONER_ANNOTATIONS.every((name) => claim.metadata.annotations?.[name] === step.provisioner);
        if (!isAsked) await client.update(PERSISTENT_VOLUME_CLAIMS, { ...claim, metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...annotations } } });
        return this.#tell(claim, step.event);
      }
      default:
        unreachable(step);
    }
  }

  async #bind(claim: Claim, volume: Volume): Promise<void> {
    const { client } = this.#context;
    const wanted = volumeBoundTo(volume, claim);
    const held = wanted ? await client.update(PERSISTENT_VOLUMES, wanted) : volume;
    await this.#setVolume(held, "Bound");
    const named = claimBoundTo(claim, volume);
    const owner = named ? await client.update(PERSISTENT_VOLUME_CLAIMS, named) : claim;
    const { accessModes = [], capacity = {} } = volume.spec ?? {};
    await this.#setClaim(owner, { phase: "Bound", accessModes, capacity });
  }

  async #syncVolume(name: string): Promise<void> {
    const volume = this.#volumes.get(name);
    if (!volume) return;
    const ref = volume.spec?.claimRef;
    const claim = ref?.uid ? await this.#claimOf(ref.namespace ?? "", ref.name ?? "", ref.uid) : undefined;
    const step = decideVolume(volume, claim);
    switch (step.kind) {
      case "phase":
        return this.#setVolume(volume, step.phase);
      case "unbind":
        return this.#setVolume(await this.#context.client.update(PERSISTENT_VOLUMES, unbound(volume)), "Available");
      case "bindClaim":
        return this.#queue.add(`claim/${ref?.namespace ?? ""}/${ref?.name ?? ""}`);
      case "keep":
        return;
      default:
        unreachable(step);
    }
  }

  /** Asked of the server where the cache does not have it: a volume must not be given up for a claim that is only new. */
  async #claimOf(namespace: string, name: string, uid: string): Promise<Claim | undefined> {
    const cached = this.#claims.get(`${namespace}/${name}`);
    if (cached?.metadata.uid === uid) return cached;
    try {
      const live = await this.#context.client.get(PERSISTENT_VOLUME_CLAIMS, { namespace, name });
      return live.metadata.uid === uid ? live : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #setVolume(volume: Volume, phase: string): Promise<void> {
    if (volume.status?.phase === phase) return;
    const { clock, client } = this.#context;
    await client.updateStatus(PERSISTENT_VOLUMES, { ...volume, status: { ...volume.status, phase, lastPhaseTransitionTime: formatTime(clock.now()) } });
  }

  async #setClaim(claim: Claim, wanted: NonNullable<Claim["status"]>): Promise<void> {
    const { phase: _, accessModes: __, capacity: ___, ...kept } = claim.status ?? {};
    const status = { ...kept, ...wanted };
    const shape = ({ phase, accessModes, capacity }: NonNullable<Claim["status"]>) => JSON.stringify([phase, accessModes ?? null, capacity ?? null]);
    if (shape(status) !== shape(claim.status ?? {})) await this.#context.client.updateStatus(PERSISTENT_VOLUME_CLAIMS, { ...claim, status });
  }
}

const claimKey = (claim: Claim): string => `claim/${keyOf(claim)}`;
const volumeKey = ({ metadata }: Volume): string => `volume/${metadata.name}`;
