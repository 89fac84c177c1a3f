/**
 * What the rows of volumes and of claims have in common.
 * Follows kubernetes pkg/printers/internalversion/printers.go.
 */
import { table } from "../../../base/own.ts";
export const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
const SHORT_MODES: Readonly<Record<string, string>> = table({ ReadWriteOnce: "RWO", ReadOnlyMany: "ROX", ReadWriteMany: "RWX", ReadWriteOncePod: "RWOP" });
const MODE_ORDER = Object.keys(SHORT_MODES);

/** `RWO,RWX`: in a fixed order, each once. */
export const shownModes = (modes: readonly string[] | undefined): string => MODE_ORDER.filter((m) => modes?.includes(m)).map((m) => SHORT_MODES[m] ?? "").join(",");

export const terminatingOr = (o: { readonly metadata: { readonly deletionTimestamp?: string } }, phase: string | undefined): string => (o.metadata.deletionTimestamp ? "Terminating" : (phase ?? ""));

export const classOf = (annotations: Readonly<Record<string, string>> | undefined, name: string | undefined): string => annotations?.[CLASS_ANNOTATION] ?? name ?? "";
