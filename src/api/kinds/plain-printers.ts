/**
 * The cells of kinds that are stored as they are: what `kubectl get` shows of them.
 * Follows kubernetes pkg/printers/internalversion/printers.go.
 */
import type { CSIDriver, CSINode, VolumeAttachment, VolumeAttributesClass } from "../generated/types.ts";
import type { KubeObject } from "../object.ts";
import type { Printer } from "./kind.ts";
import { ageCell, type Cells, nameOf, printer } from "./printing.ts";
import { SYSTEM_PRINTERS } from "./system-printers.ts";

const NONE = "<none>";

const csiDriver: Cells<CSIDriver> = (o, now) => {
  const { attachRequired = true, podInfoOnMount = false, storageCapacity = false, tokenRequests, requiresRepublish = false, volumeLifecycleModes = [] } = o.spec;
  const audiences = tokenRequests ? tokenRequests.map(({ audience }) => audience).join(",") : "<unset>";
  return [nameOf(o), attachRequired, podInfoOnMount, storageCapacity, audiences, requiresRepublish, volumeLifecycleModes.join(",") || NONE, ageCell(o, now)];
};

const csiNode: Cells<CSINode> = (o, now) => [nameOf(o), (o.spec.drivers ?? []).length, ageCell(o, now)];
const volumeAttachment: Cells<VolumeAttachment> = (o, now) => [nameOf(o), o.spec.attacher, o.spec.source.persistentVolumeName ?? "", o.spec.nodeName, o.status?.attached ?? false, ageCell(o, now)];
const volumeAttributesClass: Cells<VolumeAttributesClass> = (o, now) => [nameOf(o), o.driverName, ageCell(o, now)];

/** By the kind's name. */
export const PLAIN_PRINTERS: Readonly<Record<string, Omit<Printer<KubeObject>, "columns"> | undefined>> = {
  CSIDriver: printer(csiDriver),
  CSINode: printer(csiNode),
  VolumeAttachment: printer(volumeAttachment),
  VolumeAttributesClass: printer(volumeAttributesClass),
  ...SYSTEM_PRINTERS,
};
