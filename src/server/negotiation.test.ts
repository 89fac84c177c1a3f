import { describe, expect, test } from "vitest";
import { inputFormatOf, negotiate, negotiateError, negotiateStream } from "./negotiation.ts";

const TABLE = "as=Table;v=v1;g=meta.k8s.io";
const OBJECT = { converts: true };

test.each([
  { accept: "application/vnd.kubernetes.protobuf,application/json", want: { format: "protobuf", view: { as: "plain" } } },
  { accept: "application/json;q=0.5,application/yaml", want: { format: "yaml" } },
  { accept: "*/*;q=0.1,application/yaml;q=0.05", want: { format: "yaml" } },
  { accept: `application/vnd.kubernetes.protobuf;${TABLE},application/json`, want: { format: "json", view: { as: "plain" } } },
  { accept: `application/yaml;${TABLE}`, want: { format: "yaml", view: { as: "Table", version: "v1" } } },
  { accept: "application/json;stream=watch", want: { format: "json" } },
  { accept: "application/json;pretty=1", want: { pretty: true } },
  { accept: "text/html, */*;q=0.8", want: { format: "json" } },
])("$accept is understood", ({ accept, want }) => {
  expect(negotiate(accept, OBJECT)).toMatchObject(want);
});

describe("406", () => {
  const LITERALLY = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf";
  const NONE = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";
  test.each([
    { accept: "application/*", message: LITERALLY },
    { accept: ",", message: LITERALLY },
    { accept: "APPLICATION/JSON", message: LITERALLY },
    { accept: "application/json;v=v1", message: NONE },
    { accept: "application/json;stream=other", message: NONE },
    { accept: "application/json;as=Table;v=v1alpha1;g=meta.k8s.io", message: NONE },
  ])("$accept: $message", ({ accept, message }) => {
    expect(() => negotiate(accept, OBJECT)).toThrow(message);
  });

  test("documents and errors are never converted, and events have no YAML", () => {
    expect(() => negotiate(`application/json;${TABLE}`, {})).toThrow(NONE);
    expect(negotiateError(`application/json;${TABLE}`)).toBeUndefined();
    expect(negotiateError("application/vnd.kubernetes.protobuf")).toMatchObject({ format: "protobuf" });
    expect(() => negotiateStream("application/yaml")).toThrow("only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch");
  });
});

describe("bodies", () => {
  test.each([
    { header: undefined, format: "json" },
    { header: "application/json; charset=utf-8", format: "json" },
    { header: "APPLICATION/YAML;", format: "yaml" },
    { header: 'application/vnd.kubernetes.protobuf; a="b c"', format: "protobuf" },
  ])("$header is $format", ({ header, format }) => expect(inputFormatOf(header)).toBe(format));

  test.each(["text/yaml", ";", "application/json;;", "application/json; a", "application/*", "application/json, application/yaml"])("%s is in an unknown format", (header) => {
    expect(() => inputFormatOf(header)).toThrow("the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf");
  });
});
