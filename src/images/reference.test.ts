import { expect, test } from "vitest";
import { normalise, parseReference } from "./reference.ts";

test.each([
  { text: "alpine", want: "docker.io/library/alpine:latest" },
  { text: "alpine:3.20", want: "docker.io/library/alpine:3.20" },
  { text: "bitnami/redis", want: "docker.io/bitnami/redis:latest" },
  { text: "index.docker.io/library/alpine", want: "docker.io/library/alpine:latest" },
  { text: "localhost:5000/a/b:c", want: "localhost:5000/a/b:c" },
  { text: "localhost/a", want: "localhost/a:latest" },
  { text: "registry.k8s.io/pause:3.9", want: "registry.k8s.io/pause:3.9" },
  { text: `alpine@sha256:${"a".repeat(64)}`, want: `docker.io/library/alpine@sha256:${"a".repeat(64)}` },
  { text: `alpine:3@sha256:${"a".repeat(64)}`, want: `docker.io/library/alpine@sha256:${"a".repeat(64)}` },
])("$text is $want", ({ text, want }) => {
  expect(normalise(text)).toBe(want);
});

test.each(["", "Alpine", "a//b", "a:b:c", "alpine:", "alpine@sha256:12", "-a", "a b", "https://x/y"])("%j is no image name", (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ kind: "invalid-name" }));
});
