/**
 * Fills Secrets of type kubernetes.io/service-account-token with a token, the CA and the namespace, and deletes those whose account is gone.
 * Follows kubernetes pkg/controller/serviceaccount/tokens_controller.go.
 */
import { WorkQueue } from "../../base/work-queue.ts";
import type { Secret, ServiceAccount } from "../../api/generated/types.ts";
import { keyOf, splitKey, type Stored } from "../../api/object.ts";
import { SECRETS, SERVICE_ACCOUNTS } from "../../api/resource.ts";
import { isConflict, isNotFound } from "../../api/status-error.ts";
import type { Controller, ControllerContext } from "../framework/controller.ts";

const TYPE = "kubernetes.io/service-account-token";
const ACCOUNT_NAME = "kubernetes.io/service-account.name";
const ACCOUNT_UID = "kubernetes.io/service-account.uid";

export interface SecretTokenSubject {
  readonly namespace: string;
  readonly account: { readonly name: string; readonly uid: string };
  readonly secret: string;
}

export interface ServiceAccountTokenOptions {
  /** PEM of the CA that pods get to know the API server by. */
  readonly certificateAuthority: string;
  /** Signs a token that is good for as long as its account and its Secret are there. */
  readonly issue: (subject: SecretTokenSubject) => string;
}

const isToken = (secret: Secret): boolean => secret.type === TYPE;
const accountNameOf = ({ metadata }: Secret): string => metadata?.annotations?.[ACCOUNT_NAME] ?? "";

/** Whether the Secret speaks of this account, by its name and, where it says one, its uid. */
export function isTokenOf(secret: Stored<Secret>, { metadata }: Stored<ServiceAccount>): boolean {
  const uid = secret.metadata.annotations?.[ACCOUNT_UID] ?? "";
  return isToken(secret) && secret.metadata.namespace === metadata.namespace && accountNameOf(secret) === metadata.name && (uid === "" || uid === metadata.uid);
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** The Secret with what it lacks; undefined where it lacks nothing. A token and a namespace of its own are left alone, another CA is not. */
export function completeToken(secret: Stored<Secret>, { metadata: { name, uid } }: Stored<ServiceAccount>, { certificateAuthority, issue }: ServiceAccountTokenOptions): Stored<Secret> | undefined {
  const { namespace = "" } = secret.metadata;
  const { data = {} } = secret;
  const certificate = base64(certificateAuthority);
  const [needsCertificate, needsNamespace, needsToken] = [data["ca.crt"] !== certificate, !data["namespace"], !data["token"]];
  if (!needsCertificate && !needsNamespace && !needsToken) return undefined;
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [ACCOUNT_NAME]: name, [ACCOUNT_UID]: uid } },
    data: {
      ...data,
      ...(needsCertificate && { "ca.crt": certificate }),
      ...(needsNamespace && { namespace: base64(namespace) }),
      ...(needsToken && { token: base64(issue({ namespace, account: { name, uid }, secret: secret.metadata.name })) }),
    },
  };
}

/** Makes the controllers; they are to be run when the informers are synced. */
export function openServiceAccountTokenController(context: ControllerContext, options: ServiceAccountTokenOptions): readonly Controller[] {
  const { client, informers, clock, logger } = context;
  const queue = new WorkQueue({ clock });
  const references = new WorkQueue({ clock });
  const accounts = informers.of(SERVICE_ACCOUNTS);
  const secrets = informers.of(SECRETS);
  const follow = (account: Stored<ServiceAccount>) => {
    for (const secret of secrets.byIndex("namespace", account.metadata.namespace ?? "")) if (isToken(secret) && accountNameOf(secret) === account.metadata.name) queue.add(keyOf(secret));
  };
  accounts.on({ onSet: (account, old) => !old && follow(account), onDelete: follow });
  secrets.on({
    onSet: (secret) => isToken(secret) && queue.add(keyOf(secret)),
    onDelete: (secret) => isToken(secret) && references.add(`${keyOf(secret)}/${accountNameOf(secret)}`),
  });

  async function accountOf(secret: Stored<Secret>): Promise<Stored<ServiceAccount> | undefined> {
    const { namespace = "" } = secret.metadata;
    const name = accountNameOf(secret);
    const cached = accounts.get(`${namespace}/${name}`);
    if (cached && isTokenOf(secret, cached)) return cached;
    // A Secret may be seen before the account that was made just before it.
    const live = await client.get(SERVICE_ACCOUNTS, { namespace, name }).catch(absent);
    return live && isTokenOf(secret, live) ? live : undefined;
  }

  async function reconcile(key: string): Promise<void> {
    const secret = secrets.get(key);
    if (!secret || !isToken(secret) || accountNameOf(secret) === "") return;
    const account = await accountOf(secret);
    try {
      if (!account) return void (await client.delete(SECRETS, splitKey(key), { preconditions: { uid: secret.metadata.uid } }));
      const complete = completeToken(secret, account, options);
      if (complete) await client.update(SECRETS, complete);
    } catch (error) {
      // Overtaken: the change that did it brings the Secret back here.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  /** The account no longer lists a token that is gone. */
  async function removeReference(key: string): Promise<void> {
    const [namespace = "", secret = "", name = ""] = key.split("/");
    if (secrets.get(`${namespace}/${secret}`) || !accounts.get(`${namespace}/${name}`)) return;
    const account = await client.get(SERVICE_ACCOUNTS, { namespace, name }).catch(absent);
    if (!account?.secrets?.some((s) => s.name === secret)) return;
    await client.update(SERVICE_ACCOUNTS, { ...account, secrets: account.secrets.filter((s) => s.name !== secret) });
  }

  return [
    { name: "service-account-token", queue, workers: 5, reconcile, logger },
    { name: "service-account-token-reference", queue: references, workers: 1, reconcile: removeReference, logger },
  ];
}

function absent(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}
