/**
 * Requests out of the schemas: for every field of a kind a value of its type (or, now and then, of none that fits), on top of a least object that
 * would be taken. Draws everything from fast-check's `gen`, so that a failure shrinks and a seed repeats it.
 */
import { boolean, constantFrom, nat, subarray, type GeneratorValue } from "fast-check";
import type { KubeObject } from "../../src/api/object.ts";
import { apiVersionOf, type Resource } from "../../src/api/resource.ts";
import { type Field, schemaOfKind, type Struct, structOf, type Type } from "../../src/api/schema/schema.ts";
import { type Hint, keysOf, wordsOf } from "./words.ts";

export type Draw = GeneratorValue;

const DEPTH_MAX = 7;
const WORDS = ["a", "main", "x-1", "Never", "OnFailure", "Always", "alpine", "80%", "1", "100m", "1Gi", "default", "TCP", "ClusterIP", "None", "/data", "app.kubernetes.io/name", "In", "Exists", "0 3 * * *", "Etc/UTC", "10.0.0.1", "Indexed", "FailJob", "2026-01-01T00:00:00Z"];
const BAD_WORDS = ["", "A_b", "é", "a".repeat(300), "../..", "\u0000", "-1", "𝒳", "__proto__", "constructor", "$(X)", "1e400", "{}", "\n"];
const BROKEN: readonly unknown[] = [null, "", 0, -1, 1.5, true, [], {}, [null], [[]], { "": null }, "x", 2 ** 53, -(2 ** 63), 1e300, JSON.parse('{"__proto__":{"a":1}}')];

/** Mostly of the words that are known to fit. */
function word(g: Draw, known?: readonly string[]): string {
  if (known && g(nat, 7) > 0) return g(constantFrom, ...known);
  return g(nat, 9) === 0 ? g(constantFrom, ...BAD_WORDS) : g(constantFrom, ...WORDS);
}
const number = (g: Draw): number => g(constantFrom, 0, 1, 2, 3, 30, 100, -1, 65536, 2147483647, 2147483648, -2147483649, 9007199254740991);

function scalar(g: Draw, kind: Type["kind"], hint?: Hint): unknown {
  switch (kind) {
    case "bool": return g(boolean);
    case "int32": case "int64": case "float64": return number(g);
    case "bytes": return g(constantFrom, "", "aGVsbG8=", "not base64", "=");
    case "time": case "microTime": return g(constantFrom, null, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456Z", "yesterday", "0001-01-01T00:00:00Z");
    case "quantity": return g(constantFrom, "1", "100m", "1Gi", 2, "-1", "1e3", "", "10000000000000000000000Ei", "one");
    case "intOrString": return g(constantFrom, 1, "50%", "http", -1, "101%", 2 ** 40);
    case "object": case "any": return g(constantFrom, {}, { a: 1 }, { "f:a": {} }, { spec: { x: [1, null] } }, null);
    default: return word(g, wordsOf(hint));
  }
}

/** A value of this type, or now and then of none that fits; nothing deeper than `depth`. */
export function drawValue(g: Draw, type: Type, depth: number, hint?: Hint): unknown {
  if (g(nat, 39) === 0) return g(constantFrom, ...BROKEN);
  const several = (make: () => unknown) => Array.from({ length: g(constantFrom, 1, 1, 1, 2, 3, 0) }, make);
  switch (type.kind) {
    case "struct": return depth <= 0 ? {} : structValue(g, type.struct(), depth - 1);
    case "list": return several(() => drawValue(g, type.element, depth - 1, hint));
    case "map": return Object.fromEntries(several(() => [word(g, keysOf(hint)), drawValue(g, type.value, depth - 1)]) as [string, unknown][]);
    default: return scalar(g, type.kind, hint);
  }
}

/** Few fields of a struct, always those that it must have. */
function structValue(g: Draw, struct: Struct, depth: number): Record<string, unknown> {
  const fields = [...struct.fields.values()];
  const chance = Math.max(1, Math.floor(fields.length / 3));
  const out: Record<string, unknown> = {};
  const put = (field: Field) => (out[field.name] = drawValue(g, field.type, depth, { struct: struct.goName, field: field.name }));
  for (const field of fields) if (field.required ? g(nat, 19) > 0 : g(nat, chance) === 0) put(field);
  if (g(nat, 29) === 0) out["unknownField"] = 1;
  return out;
}

const POD = { restartPolicy: "Never", containers: [{ name: "main", image: "alpine" }] };
const SELECTED = { selector: { matchLabels: { app: "a" } }, template: { metadata: { labels: { app: "a" } }, spec: { ...POD, restartPolicy: "Always" } } };
const ROLE = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
/** A request of jane in devs, signed by a key that nobody has kept. */
const CSR = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIWU1JR0FBZ0VBTUI0eERUQUxCZ05WQkFNTUJHcGhibVV4RFRBTEJnTlZCQW9NQkdSbGRuTXdXVEFUQmdjcQpoa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVNmVFdZZ1d2VE55MU1GL01FR1NoSTF2Tll1SlVIU2QrdlEyUFYyCjVobmhaWVV2WnovUURwbUU3SU1VYS9NV0kxOFhZTlE3QW9ZUEorNHJKWHJFTkFzWW9BQXdDZ1lJS29aSXpqMEUKQXdJRFJ3QXdSQUlnSktjSXhTRUFBc1RPZVFLYUtuaENuWnRuNzRPRm1QbGNNYk9ZK2xmOVY5Y0NJRkMxV0FOWApKeStjZVlFMnlSWmJuZlgwajBSMlFzdlozMW5ZTWpCaldVRkwKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==";
/** What a kind must have to be taken; kinds that need nothing but a name are not here. */
export const LEAST: Readonly<Record<string, object>> = {
  Job: { spec: { template: { spec: POD } } },
  CronJob: { spec: { schedule: "0 3 * * *", jobTemplate: { spec: { template: { spec: POD } } } } },
  Pod: { spec: POD },
  PodTemplate: { template: { spec: { ...POD, restartPolicy: "Always" } } },
  Service: { spec: { ports: [{ port: 80 }] } },
  Event: { involvedObject: { kind: "Pod", name: "p", namespace: "default" }, reason: "Because", type: "Normal" },
  "events.k8s.io/Event": { eventTime: "2026-01-01T00:00:00.000000Z", regarding: { kind: "Pod", name: "p", namespace: "default" }, reason: "Because", type: "Normal", action: "Do", reportingController: "a.io/b", reportingInstance: "c" },
  LimitRange: { spec: { limits: [{ type: "Container", max: { cpu: "64" } }] } },
  PersistentVolume: { spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } } },
  PersistentVolumeClaim: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
  ReplicationController: { spec: { selector: { app: "a" }, template: SELECTED.template } },
  EndpointSlice: { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }], ports: [{ port: 80 }] },
  PriorityClass: { value: 10 },
  RuntimeClass: { handler: "sandbox" },
  StorageClass: { provisioner: "example.com/p" },
  ControllerRevision: { revision: 1, data: { a: 1 } },
  Deployment: { spec: SELECTED },
  ReplicaSet: { spec: SELECTED },
  StatefulSet: { spec: { ...SELECTED, serviceName: "s" } },
  DaemonSet: { spec: SELECTED },
  HorizontalPodAutoscaler: { spec: { maxReplicas: 2, scaleTargetRef: { kind: "Deployment", name: "d", apiVersion: "apps/v1" } } },
  Role: { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
  Ingress: { spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } } },
  IngressClass: { spec: { controller: "example.com/c" } },
  NetworkPolicy: { spec: { podSelector: {} } },
  ServiceCIDR: { spec: { cidrs: ["10.9.0.0/24"] } },
  CertificateSigningRequest: { spec: { request: CSR, signerName: "example.com/signer", usages: ["client auth"] } },
  CSIDriver: { spec: {} },
  CSINode: { spec: { drivers: [{ name: "d.example.com", nodeID: "n" }] } },
  CSIStorageCapacity: { storageClassName: "c" },
  VolumeAttachment: { spec: { attacher: "a.example.com", nodeName: "n", source: { persistentVolumeName: "v" } } },
  VolumeAttributesClass: { driverName: "d.example.com", parameters: { a: "b" } },
  IPAddress: { spec: { parentRef: { group: "", resource: "services", namespace: "default", name: "a" } } },
  RoleBinding: { roleRef: ROLE },
  ClusterRoleBinding: { roleRef: ROLE },
};

/** Kinds whose objects can't be named as one likes. */
const NAMES: Readonly<Record<string, string>> = { IPAddress: "10.0.0.9" };

/** `name`, or what an object of this kind must be called. */
export const nameFor = (resource: Resource, name: string): string => NAMES[resource.kind] ?? name;

/** An object of this kind that is taken. */
export const leastObject = (resource: Resource, name: string): KubeObject => ({
  apiVersion: apiVersionOf(resource), kind: resource.kind,
  metadata: { name, ...(resource.namespaced && { namespace: "default" }) },
  ...(LEAST[`${resource.group}/${resource.kind}`] ?? LEAST[resource.kind]),
});

function overlay(base: unknown, extra: unknown): unknown {
  const both = [base, extra].every((v) => typeof v === "object" && v !== null && !Array.isArray(v));
  if (!both) return extra;
  const out = { ...(base as Record<string, unknown>) };
  for (const [key, value] of Object.entries(extra as object)) out[key] = key in out ? overlay(out[key], value) : value;
  return out;
}

const schemaFor = (resource: Resource): Struct => structOf(schemaOfKind(resource) ?? "");

/** The least object with a few of its fields drawn anew: often taken, often refused. */
export function drawObject(g: Draw, resource: Resource, name: string): Record<string, unknown> {
  const least = leastObject(resource, name) as unknown as Record<string, unknown>;
  const struct = schemaFor(resource);
  const names = [...struct.fields.keys()].filter((n) => n !== "kind" && n !== "apiVersion");
  const drawn: Record<string, unknown> = {};
  for (const field of g(subarray, names, { maxLength: 2 })) {
    const type = struct.fields.get(field)?.type;
    if (type) drawn[field] = drawValue(g, type, DEPTH_MAX, { struct: struct.goName, field });
  }
  const object = overlay(least, drawn) as Record<string, unknown>;
  // Mostly one that can be found again.
  if (g(nat, 9) > 0 && typeof object["metadata"] === "object" && object["metadata"] !== null) object["metadata"] = { ...object["metadata"], name, generateName: undefined };
  return object;
}

/** A tree to merge or to apply: like an object, only less of it; lists may carry directives. */
export function drawPatch(g: Draw, resource: Resource): Record<string, unknown> {
  const patch = structValue(g, schemaFor(resource), DEPTH_MAX);
  return sprinkle(g, patch) as Record<string, unknown>;
}

const DIRECTIVES: readonly object[] = [{ $patch: "delete" }, { $patch: "replace" }, { $patch: "merge" }, { $patch: "nonsense" }, { $retainKeys: ["name"] }, { "$setElementOrder/containers": [{ name: "main" }] }, { "$deleteFromPrimitiveList/finalizers": ["a"] }];

function sprinkle(g: Draw, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((v) => sprinkle(g, v));
  if (typeof value !== "object" || value === null) return g(nat, 19) === 0 ? null : value;
  const out = Object.fromEntries(Object.entries(value).map(([k, v]) => [k, sprinkle(g, v)]));
  return g(nat, 19) === 0 ? { ...out, ...g(constantFrom, ...DIRECTIVES) } : out;
}

const POINTERS = ["/metadata/labels", "/metadata/labels/a", "/metadata/annotations", "/metadata/finalizers", "/metadata/finalizers/-", "/metadata/finalizers/0", "/metadata/name", "/spec", "/spec/suspend", "/spec/template", "/spec/containers/0/image", "/spec/containers/-", "/status", "/data", "/a~1b", "/~", "", "x", "/metadata/managedFields", "/metadata/finalizers/1e3"];

/** JSON patch operations on the paths that most objects have. */
export function drawJsonPatch(g: Draw): unknown[] {
  const path = () => g(constantFrom, ...POINTERS);
  const value = () => g(constantFrom, "a", 1, null, true, {}, [], { a: "b" }, ["a/b"], [1], { name: "n", image: "i" });
  return Array.from({ length: g(constantFrom, 1, 2, 3) }, () => ({ op: g(constantFrom, "add", "add", "replace", "remove", "test", "copy", "move", "nonsense"), path: path(), from: path(), value: value() }));
}
