/**
 * Acting as someone else: the Impersonate-* headers, each of them authorised on its own.
 * Follows kubernetes staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation.
 */
import type { ResourceAttributes } from "../api/rbac/attributes.ts";
import type { UserInfo } from "../api/request.ts";
import { badRequest } from "../api/status-error.ts";
import { ANONYMOUS, authenticated } from "../server/authentication.ts";
import { type Authorizer, requireAllowed } from "../server/authorization.ts";
import type { HttpRequest } from "../server/exchange.ts";

/** Names of service accounts; what only looks like one is a user's name. Follows apiserver/pkg/authentication/serviceaccount (SplitUsername). */
const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9](?:[-.a-z0-9]*[a-z0-9])?)$/;
const EXTRA = "impersonate-extra-";

interface Wanted {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Groups of every service account of a namespace. */
export const serviceAccountGroups = (namespace: string): readonly string[] => ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function readHeaders({ rawHeaders, headers }: HttpRequest): Wanted {
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const value = rawHeaders[i + 1] ?? "";
    if (name === "impersonate-group") groups.push(value);
    else if (name.startsWith(EXTRA)) {
      const key = decodeKey(name.slice(EXTRA.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  return { user: headers["impersonate-user"] ?? "", uid: headers["impersonate-uid"] ?? "", groups, extra: Object.fromEntries(extra) };
}

const goStrings = (values: readonly string[]): string => `[]string{${values.map((v) => JSON.stringify(v)).join(", ")}}`;

function goInfo({ uid, groups, extra }: Wanted): string {
  const keys = Object.keys(extra);
  const map = keys.length === 0 ? "map[string][]string(nil)" : `map[string][]string{${keys.map((k) => `${JSON.stringify(k)}:${goStrings(extra[k] ?? [])}`).join(", ")}}`;
  const list = groups.length === 0 ? "[]string(nil)" : goStrings(groups);
  return `&user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${list}, Extra:${map}}`;
}

/** What has to be allowed, header by header. */
function questions(asker: UserInfo, { user, uid, groups, extra }: Wanted): ResourceAttributes[] {
  const base = { user: asker, verb: "impersonate", isResource: true, version: "v1", subresource: "", namespace: "" } as const;
  const account = SERVICE_ACCOUNT.exec(user);
  const who: ResourceAttributes = account
    ? { ...base, group: "", resource: "serviceaccounts", namespace: account[1] ?? "", name: account[2] ?? "" }
    : { ...base, group: "", resource: "users", name: user };
  const ofGroups = groups.map((name): ResourceAttributes => ({ ...base, group: "", resource: "groups", name }));
  const authentication = { ...base, group: "authentication.k8s.io" } as const;
  const ofExtra = Object.entries(extra).flatMap(([key, values]) => values.map((name): ResourceAttributes => ({ ...authentication, resource: "userextras", subresource: key, name })));
  return [who, ...ofGroups, ...ofExtra, ...(uid === "" ? [] : [{ ...authentication, resource: "uids", name: uid }])];
}

function groupsOf({ user, groups }: Wanted): readonly string[] {
  const account = SERVICE_ACCOUNT.exec(user);
  return groups.length === 0 && account ? serviceAccountGroups(account[1] ?? "") : groups;
}

/** The user to act as: the asker where no such header is there. Rejects with 400 and 403. */
export async function impersonate(request: HttpRequest, asker: UserInfo, authorizer: Authorizer): Promise<UserInfo> {
  const wanted = readHeaders(request);
  const more = wanted.groups.length > 0 || wanted.uid !== "" || Object.keys(wanted.extra).length > 0;
  if (wanted.user === "") {
    if (more) throw badRequest(`requested ${goInfo(wanted)} without impersonating a user name`);
    return asker;
  }
  for (const question of questions(asker, wanted)) await requireAllowed(authorizer, question);
  const { uid, extra } = wanted;
  const user: UserInfo = { name: wanted.user, groups: groupsOf(wanted), ...(uid !== "" && { uid }), ...(Object.keys(extra).length > 0 && { extra }) };
  if (user.name !== ANONYMOUS.name) return authenticated(user);
  return user.groups.some((g) => ANONYMOUS.groups.includes(g)) ? user : { ...user, groups: [...user.groups, ...ANONYMOUS.groups] };
}
