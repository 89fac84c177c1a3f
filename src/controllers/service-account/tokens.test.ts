import { expect, test } from "vitest";
import type { Secret, ServiceAccount } from "../../api/generated/types.ts";
import type { Stored } from "../../api/object.ts";
import { completeToken, isTokenOf, type SecretTokenSubject } from "./tokens.ts";

const meta = (name: string, more: object = {}) => ({ name, namespace: "ns", uid: `u-${name}`, resourceVersion: "1", creationTimestamp: "", ...more });
const robot: Stored<ServiceAccount> = { metadata: meta("robot") };
const NAME = "kubernetes.io/service-account.name";
const UID = "kubernetes.io/service-account.uid";
const secret = (annotations: Record<string, string> = { [NAME]: "robot" }, data?: Record<string, string>): Stored<Secret> => ({
  metadata: meta("tok", { annotations }), type: "kubernetes.io/service-account-token", ...(data && { data }),
});
const base64 = (text: string) => Buffer.from(text).toString("base64");
const issue = ({ account, secret: name }: SecretTokenSubject) => `token of ${account.name} in ${name}`;
const complete = (object: Stored<Secret>) => completeToken(object, robot, { certificateAuthority: "CA", issue });

test("a Secret gets token, CA and namespace, and says whose it is", () => {
  const filled = complete(secret());
  expect(filled?.data).toEqual({ "ca.crt": base64("CA"), namespace: base64("ns"), token: base64("token of robot in tok") });
  expect(filled?.metadata.annotations).toEqual({ [NAME]: "robot", [UID]: "u-robot" });
  expect(filled && complete(filled)).toBeUndefined();
});

test("what it holds stays, but for another CA", () => {
  const own = { token: base64("mine"), namespace: base64("elsewhere"), "ca.crt": base64("old"), extra: base64("x") };
  expect(complete(secret(undefined, own))?.data).toEqual({ ...own, "ca.crt": base64("CA") });
});

test.each([
  { name: "by name", object: secret(), want: true },
  { name: "by name and uid", object: secret({ [NAME]: "robot", [UID]: "u-robot" }), want: true },
  { name: "not of an earlier account of that name", object: secret({ [NAME]: "robot", [UID]: "u-before" }), want: false },
  { name: "not of another account", object: secret({ [NAME]: "other" }), want: false },
  { name: "not if it is of another type", object: { ...secret(), type: "Opaque" }, want: false },
])("a Secret is a token of the account $name", ({ object, want }) => {
  expect(isTokenOf(object, robot)).toBe(want);
});
