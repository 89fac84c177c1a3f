/**
 * The program's first file: switches on V8's compile cache, so that the second start of a version is quicker than its first, then loads the rest
 * and connects it with the process.
 */
import { enableCompileCache } from "node:module";

enableCompileCache();
const [{ main }, { keepAlive }] = await Promise.all([import("./main.ts"), import("../base/clock.ts")]);

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // The second one means it: whoever waits for an orderly end has waited enough.
    if (interrupted.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
    interrupted.abort(signal === "SIGINT" ? "SIGINT" : "SIGTERM");
  });
}
// A reader that went away (`stint run … | head -1`) is no reason to fail.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  interrupted.abort("SIGINT");
});

const alive = keepAlive();
const { stdin, stdout, stderr, env } = process;
process.exitCode = await main(process.argv.slice(2), { stdin, stdout, stderr, env, interrupted: interrupted.signal });
alive.release();
// Output that nobody takes is not waited for by somebody who wants to go.
if (interrupted.signal.aborted) process.exit();
