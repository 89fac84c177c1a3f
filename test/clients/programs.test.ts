/** Programs in other languages that use Jobs through their own client library: client-go and Python. Fetched and built, so for the long run. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { execute, Sandbox, Server } from "../support/stint.ts";
import { goClient, LONG, pythonClient } from "./fetched.ts";

// What a machine lacks is left out by name; why is on the terminal.
const goProgram = LONG ? await goClient() : "";
const python = LONG ? await pythonClient() : "";

describe.skipIf(!LONG)("programs with a client library", () => {
  let sandbox: Sandbox;
  let server: Server;

  beforeAll(async () => {
    sandbox = await Sandbox.make();
    server = await Server.start(sandbox, ["--disable", "agent,scheduler"]);
  });
  afterAll(async () => {
    await server.stop();
    await sandbox.remove();
  });

  test.skipIf(goProgram === "").each(["application/json", "application/vnd.kubernetes.protobuf"])("client-go: informer, leader election, apply, in %s", async (contentType) => {
    const done = await execute(goProgram, [server.kubeconfig, contentType]);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/all held\n$/) as string });
  });

  test.skipIf(python === "")("Python: create, watch, patch, apply, delete", async () => {
    const done = await execute(python, [fileURLToPath(new URL("jobs.py", import.meta.url)), server.kubeconfig]);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/all held\n$/) as string });
  });
});
