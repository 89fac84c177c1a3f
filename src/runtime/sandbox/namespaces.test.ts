import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { enterNamespaces, type NamespaceOptions } from "./namespaces.ts";
import { startFile } from "./start-file.ts";
import { sandboxSpec } from "./testing.ts";

function namespacesOf(more: { readonly neighbour?: number; readonly target?: number; readonly sandbox?: Partial<Parameters<typeof sandboxSpec>[1]> }) {
  const machine = { unshare: "unshare", nsenter: "nsenter" } as NamespaceOptions["machine"];
  const sandbox = { spec: sandboxSpec("pod-1", more.sandbox) } as NamespaceOptions["sandbox"];
  return enterNamespaces({ machine, sandbox, neighbour: more.neighbour, target: more.target, spec: { mounts: [] } });
}

/** What the launcher would execute, as it finds out: by a shell. */
function chosen(namespaces: ReturnType<typeof namespacesOf>): string {
  const text = startFile({ namespaces, description: { env: [], workingDir: "/" } as never, command: ["true"], container: [], privileges: [], root: "/", prepare: [], stdin: undefined, outputOwner: undefined });
  return execFileSync("sh", ["-c", `${text}\njoin 2>/dev/null\necho "$namespaces"`], { encoding: "utf8" }).trim();
}

const OWN = "unshare --mount --uts --ipc --pid --propagation private";

describe("a container's namespaces", () => {
  test.each([
    { name: "alone", sandbox: {}, own: OWN },
    { name: "with the machine's network", sandbox: { hostNetwork: true }, own: "unshare --mount --ipc --pid --propagation private" },
    { name: "with the pod's processes", sandbox: { shareProcessNamespace: true }, own: "unshare --mount --uts --ipc --pid --propagation private" },
  ])("$name", ({ sandbox, own }) => {
    expect(namespacesOf({ sandbox }).own.join(" ")).toBe(own);
  });

  test("are a living neighbour's where the pod shares them", () => {
    expect(namespacesOf({ neighbour: 42 }).shared).toEqual({
      files: [[3, "/proc/42/ns/uts"], [4, "/proc/42/ns/ipc"]],
      words: ["nsenter", "--no-fork", "--uts=/proc/self/fd/3", "--ipc=/proc/self/fd/4", "unshare", "--mount", "--pid", "--propagation", "private"],
    });
  });

  test("are another container's for processes where it says so", () => {
    expect(namespacesOf({ neighbour: 42, target: 43 }).shared).toEqual({
      files: [[3, "/proc/42/ns/uts"], [4, "/proc/42/ns/ipc"], [0, "/proc/43/ns/pid"]],
      words: ["nsenter", "--no-fork", "--uts=/proc/self/fd/3", "--ipc=/proc/self/fd/4", "--pid=/proc/self/fd/0", "unshare", "--mount", "--propagation", "private"],
    });
  });

  test("are its own when the neighbour has ended meanwhile", () => {
    expect(chosen(namespacesOf({ neighbour: 2 ** 30 }))).toBe(OWN);
  });

  test("are never the machine's because a process id was given away again", () => {
    expect(chosen(namespacesOf({ neighbour: process.pid }))).toBe(OWN);
  });
});
