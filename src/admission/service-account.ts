/**
 * A pod runs as a service account that is there, with its pull secrets, and with a token at hand unless somebody says no.
 * Follows kubernetes plugin/pkg/admission/serviceaccount/admission.go.
 */
import type { Ids } from "../base/chance.ts";
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from "../api/generated/types.ts";
import type { Draft } from "../api/kinds/kind.ts";
import { goQuote } from "../api/go-quote.ts";
import { isPathSegmentName } from "../api/names.ts";
import { PODS, SERVICE_ACCOUNTS } from "../api/resource.ts";
import { StatusError } from "../api/status-error.ts";
import { concerns, refuse, type AdmissionContext, type AdmissionPlugin } from "../registry/admission.ts";

const MIRROR = "kubernetes.io/config.mirror";
const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";

/** The kubelet asks for a new token when 80 % of this are over; the 7 tells tokens that were asked for this way. */
const TOKEN_SECONDS = 3607;

function tokenVolume(name: string): Draft<Volume> {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
      ],
    },
  };
}

/** Mounts the volume where nothing is mounted; whether it was needed. */
function mount(containers: readonly Draft<Container>[] | undefined, name: string): boolean {
  let needed = false;
  for (const container of containers ?? []) {
    if (container.volumeMounts?.some((m) => m.mountPath === MOUNT_PATH)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }];
    needed = true;
  }
  return needed;
}

function mountToken(spec: Draft<PodSpec>, ids: Ids): void {
  const existing = spec.volumes?.find((v) => v.name.startsWith(VOLUME_PREFIX));
  const name = existing?.name ?? VOLUME_PREFIX + ids.suffix(5);
  const inInit = mount(spec.initContainers, name);
  const needed = mount(spec.containers, name) || inInit;
  if (needed && !existing) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

const automounts = (account: ServiceAccount, spec: PodSpec) => spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;

function accountOf(pod: Draft<Pod>, name: string, context: AdmissionContext): ServiceAccount {
  const account = context.reader.get(SERVICE_ACCOUNTS, context.namespace, name);
  // Upstream's client refuses to ask for names that would not stand in a path.
  const unaskable = isPathSegmentName(name, false);
  const why = unaskable.length > 0 ? `invalid resource name ${goQuote(name)}: [${unaskable.join(" ")}]` : `serviceaccount ${goQuote(name)} not found`;
  if (!account) throw refuse(context, { metadata: pod.metadata ?? {} }, `error looking up service account ${context.namespace}/${name}: ${why}`);
  return account;
}

/** What the kubelet writes of a pod of its own names no account and no secret. */
function checkMirror(pod: Draft<Pod>, context: AdmissionContext): void {
  const spec = pod.spec;
  const no = (what: string) => refuse(context, { metadata: pod.metadata ?? {} }, `a mirror pod may not ${what}`);
  if (spec.serviceAccountName) throw no("reference service accounts");
  if (namesSecrets(spec)) throw no("reference secrets");
  if (spec.volumes?.some((v) => v.projected?.sources?.some((s) => s.serviceAccountToken))) throw no("use ServiceAccountToken volume projections");
}

/** Accounts that let their pods name listed secrets only. */
const ENFORCE = "kubernetes.io/enforce-mountable-secrets";

function checkSecrets(spec: PodSpec, account: ServiceAccount): string | undefined {
  const { name = "" } = account.metadata ?? {};
  const listed = (account.secrets ?? []).map((s) => s.name);
  for (const { secret } of spec.volumes ?? []) {
    if (secret && !listed.includes(secret.secretName)) return `volume with secret.secretName="${secret.secretName ?? ""}" is not allowed because service account ${name} does not reference that secret`;
  }
  const inContainers = checkContainers("init container", spec.initContainers, account) ?? checkContainers("container", spec.containers, account);
  if (inContainers !== undefined) return inContainers;
  const pulls = (account.imagePullSecrets ?? []).map((s) => s.name);
  const at = (spec.imagePullSecrets ?? []).findIndex((s) => !pulls.includes(s.name));
  return at < 0 ? undefined : `imagePullSecrets[${at}].name="${spec.imagePullSecrets?.[at]?.name ?? ""}" is not allowed because service account ${name} does not reference that imagePullSecret`;
}

function checkContainers(what: string, containers: readonly Pick<Container, "name" | "env" | "envFrom">[] | undefined, account: ServiceAccount): string | undefined {
  const listed = (account.secrets ?? []).map((s) => s.name);
  const why = (secret: string) => `referencing secret.secretName="${secret}" is not allowed because service account ${account.metadata?.name ?? ""} does not reference that secret`;
  for (const c of containers ?? []) {
    for (const { name, valueFrom } of c.env ?? []) {
      const secret = valueFrom?.secretKeyRef?.name;
      if (valueFrom?.secretKeyRef && !listed.includes(secret)) return `${what} ${c.name} with envVar ${name} ${why(secret ?? "")}`;
    }
    for (const { secretRef } of c.envFrom ?? []) if (secretRef && !listed.includes(secretRef.name)) return `${what} ${c.name} with envFrom ${why(secretRef.name ?? "")}`;
  }
  return undefined;
}

function namesSecrets(spec: PodSpec): boolean {
  const containers = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  return (spec.imagePullSecrets?.length ?? 0) > 0 || containers.some((c) => c.env?.some((e) => e.valueFrom?.secretKeyRef) || c.envFrom?.some((e) => e.secretRef)) || (spec.volumes ?? []).some((v) => v.secret || v.projected?.sources?.some((s) => s.secret));
}

const isEnforced = (account: ServiceAccount | undefined): boolean => /^(1|t|T|TRUE|true|True)$/.test(account?.metadata?.annotations?.[ENFORCE] ?? "");

function validateAccount(pod: Pod, context: AdmissionContext): void {
  const { subresource, operation, resource } = context;
  if (resource.group !== PODS.group || resource.plural !== PODS.plural || pod.metadata.annotations?.[MIRROR] !== undefined) return;
  const account = context.reader.get(SERVICE_ACCOUNTS, context.namespace, pod.spec.serviceAccountName ?? "");
  if (!account || !isEnforced(account)) return;
  if (operation === "CREATE" && subresource === "") {
    const why = checkSecrets(pod.spec, account);
    if (why !== undefined) throw refuse(context, { metadata: pod.metadata }, why);
  }
  const why = operation === "UPDATE" && subresource === "ephemeralcontainers" ? checkContainers("ephemeral container", pod.spec.ephemeralContainers, account) : undefined;
  // Upstream forgets to say that this is forbidden.
  if (why !== undefined) throw new StatusError({ code: 500, message: why });
}

export function serviceAccountAdmission(ids: Ids): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    validate: (object, context) => (context.operation === "DELETE" ? undefined : validateAccount(object as Pod, context)),
    mutate(draft, context) {
      const pod = draft as Draft<Pod>;
      if (!concerns(context, PODS, "CREATE") || !pod.spec) return;
      if (pod.metadata?.annotations?.[MIRROR] !== undefined) return checkMirror(pod, context);
      const { spec } = pod;
      const name = spec.serviceAccountName || spec.serviceAccount || "default";
      spec.serviceAccountName = name;
      spec.serviceAccount = name;
      const account = accountOf(pod, name, context);
      if (automounts(account, spec)) mountToken(spec, ids);
      if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) spec.imagePullSecrets = account.imagePullSecrets.map((ref) => ({ ...ref }));
    },
  };
}
