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
