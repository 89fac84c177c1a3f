/**
 * A pod's priority is its class's; only one class may be the default.
 * Follows kubernetes plugin/pkg/admission/priority/admission.go.
 */
import { table } from "../base/own.ts";
import type { Pod, PriorityClass } from "../api/generated/types.ts";
import type { Draft } from "../api/kinds/kind.ts";
import { PODS, PRIORITY_CLASSES } from "../api/resource.ts";
import { concerns, refuse, type AdmissionContext, type AdmissionPlugin, type Reader } from "../registry/admission.ts";

/** They are known before anybody has made them. */
const SYSTEM_CLASSES: Readonly<Record<string, number>> = table({ "system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000 });

interface Priority {
  readonly className: string;
  readonly value: number;
  readonly preemptionPolicy: string;
}

const DEFAULT_POLICY = "PreemptLowerPriority";
const priorityOf = ({ metadata, value, preemptionPolicy }: PriorityClass): Priority => ({ className: metadata?.name ?? "", value: value ?? 0, preemptionPolicy: preemptionPolicy ?? DEFAULT_POLICY });

/** Of several defaults the lowest counts. */
function defaultPriority(reader: Reader): Priority {
  const defaults = reader.list(PRIORITY_CLASSES, "").filter((c) => c.globalDefault === true);
  const [lowest] = defaults.toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0));
  return lowest ? priorityOf(lowest) : { className: "", value: 0, preemptionPolicy: DEFAULT_POLICY };
}

function classPriority(reader: Reader, className: string): Priority | undefined {
  const found = reader.get(PRIORITY_CLASSES, "", className);
  if (found) return priorityOf(found);
  const value = SYSTEM_CLASSES[className];
  return value === undefined ? undefined : { className, value, preemptionPolicy: DEFAULT_POLICY };
}

function admitCreate(pod: Draft<Pod>, context: AdmissionContext): void {
  const { spec } = pod;
  if (!spec) return;
  const no = (why: string) => refuse(context, { metadata: pod.metadata ?? {} }, why);
  const priority = spec.priorityClassName ? classPriority(context.reader, spec.priorityClassName) : defaultPriority(context.reader);
  if (!priority) throw no(`no PriorityClass with name ${spec.priorityClassName ?? ""} was found`);
  const { className, value, preemptionPolicy } = priority;
  if (spec.priority !== undefined && spec.priority !== value) {
    throw no(`the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`);
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy) {
    throw no(`the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`);
  }
  if (className !== "") spec.priorityClassName = className;
  spec.priority = value;
  spec.preemptionPolicy = preemptionPolicy;
}

/** Once set they stay. */
function admitUpdate(pod: Draft<Pod>, old: Pod): void {
  const { spec } = pod;
  if (!spec) return;
  if (spec.priority === undefined && old.spec?.priority !== undefined) spec.priority = old.spec.priority;
  if (spec.preemptionPolicy === undefined && old.spec?.preemptionPolicy !== undefined) spec.preemptionPolicy = old.spec.preemptionPolicy;
}

export const priorityAdmission: AdmissionPlugin = {
  name: "Priority",
  mutate(draft, context) {
    if (!concerns(context, PODS, "CREATE", "UPDATE")) return;
    if (context.old) admitUpdate(draft as Draft<Pod>, context.old as Pod);
    else admitCreate(draft as Draft<Pod>, context);
  },
  validate(object, context) {
    if (!concerns(context, PRIORITY_CLASSES, "CREATE", "UPDATE") || (object as unknown as PriorityClass).globalDefault !== true) return;
    const other = context.reader.list(PRIORITY_CLASSES, "").find((c) => c.globalDefault === true && c.metadata?.name !== object.metadata.name);
    if (other) throw refuse(context, object, `PriorityClass ${other.metadata?.name ?? ""} is already marked as default. Only one default can exist`);
  },
};
