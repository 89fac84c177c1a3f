import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { allowAll } from "../server/authorization.ts";
import { openTestServer, type TestServer } from "../server/testing.ts";
import { impersonate } from "./impersonation.ts";
import { withReviews } from "./reviews.ts";

const MAPS = "/api/v1/namespaces/n/configmaps";
let server: TestServer;
beforeAll(async () => {
  server = await openTestServer((api, tokens) => ({ api: withReviews(api, { authorizer: allowAll, tokens, clock: systemClock }), impersonator: impersonate }));
});
afterAll(() => server.close());

describe("who asks", () => {
  test("a client certificate is a user and its groups", async () => {
    const { body } = await server.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { body: {}, admin: true });
    expect(body).toMatchObject({ kind: "SelfSubjectReview", status: { userInfo: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] } } });
  });

  test("a wrong token is nobody, another scheme is anonymous", async () => {
    expect((await server.request("GET", MAPS, { headers: { authorization: "Bearer wrong" } })).body).toMatchObject({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
    const { body } = await server.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { body: {}, headers: { authorization: "Basic YTpi" } });
    expect(body).toMatchObject({ status: { userInfo: { username: "system:anonymous", groups: ["system:unauthenticated"] } } });
  });

  test.each([
    { name: "groups", headers: { "impersonate-user": "jane", "impersonate-group": ["devs", "testers"] }, want: { username: "jane", groups: ["devs", "testers", "system:authenticated"] } },
    { name: "uid and extra", headers: { "impersonate-user": "jane", "impersonate-uid": "u-7", "impersonate-extra-shoe": "large" }, want: { username: "jane", uid: "u-7", extra: { shoe: ["large"] } } },
    { name: "a service account", headers: { "impersonate-user": "system:serviceaccount:n:default" }, want: { groups: ["system:serviceaccounts", "system:serviceaccounts:n", "system:authenticated"] } },
  ])("acting as another: $name", async ({ headers, want }) => {
    const { body } = await server.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { body: {}, headers });
    expect(body).toMatchObject({ status: { userInfo: want } });
  });

  test("a group without a user", async () => {
    const { body } = await server.request("GET", MAPS, { headers: { "impersonate-group": "a" } });
    expect(body).toMatchObject({ code: 400, message: 'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"a"}, Extra:map[string][]string(nil)} without impersonating a user name' });
  });
});

describe("a review is refused", () => {
  const about = (resourceAttributes: object) => ({ spec: { resourceAttributes } });
  const FIELD = "spec.resourceAttributes.fieldSelector";
  const NEEDED = `${FIELD}.requirements: Required value: when ${FIELD} is specified, requirements or rawSelector is required`;
  test.each([
    { what: "nothing asked", body: { spec: {} }, want: "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified" },
    { what: "an empty field selector", body: about({ fieldSelector: {} }), want: NEEDED },
    { what: "two forms of a selector", body: about({ labelSelector: { rawSelector: "a", requirements: [{ key: "a", operator: "Exists" }] } }), want: 'spec.resourceAttributes.labelSelector.rawSelector: Invalid value: "a": may not specified at the same time as requirements' },
    { what: "a requirement without a key", body: about({ fieldSelector: { requirements: [{ operator: "Exists" }] } }), want: `${FIELD}.requirements[0].key: Required value: must be specified` },
    { what: "an In without values", body: about({ labelSelector: { requirements: [{ key: "a", operator: "In" }] } }), want: "spec.resourceAttributes.labelSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'" },
  ])("$what", async ({ body, want }) => {
    const answer = await server.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { body, admin: true });
    expect(answer.body).toMatchObject({ code: 422, message: `.authorization.k8s.io "" is invalid: ${want}` });
  });

  test("a name: nothing that an object has may be there", async () => {
    const answer = await server.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { body: { metadata: { name: "x" }, ...about({ verb: "get" }) }, admin: true });
    expect(answer.body).toMatchObject({ message: expect.stringMatching(/^\.authorization\.k8s\.io "" is invalid: metadata: Invalid value: \{"name":"x","managedFields":\[\{.*\}\]\}: must be empty$/) as string });
  });

  test("otherwise it tells who asked it, and what", async () => {
    const answer = await server.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?fieldManager=me", { body: about({ verb: "get" }), admin: true });
    expect(answer.body).toMatchObject({ metadata: { managedFields: [{ manager: "me", operation: "Update", fieldsV1: { "f:spec": { "f:resourceAttributes": { "f:verb": {} } } } }] }, status: { allowed: true } });
  });
});
