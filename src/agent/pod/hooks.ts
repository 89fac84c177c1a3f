/**
 * Handlers of postStart and preStop: a command in the container, an HTTP request, a sleep. A tcpSocket handler is accepted and does nothing.
 * Follows kubernetes pkg/kubelet/lifecycle/handlers.go.
 */
import { Writable } from "node:stream";
import type { Container, HTTPGetAction, LifecycleHandler } from "../../api/generated/types.ts";
import { sleep, type Clock } from "../../base/clock.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { httpGet, portNumber } from "../probes/http.ts";

export interface HookContext {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

export const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

async function runExec({ runtime, containerId }: HookContext, command: readonly string[], signal: AbortSignal): Promise<void> {
  const code = await runtime.exec(containerId, { command, tty: false, stdin: undefined, stdout: nowhere(), stderr: nowhere() }, signal);
  if (code !== 0) throw new Error(`command '${command.join(" ")}' exited with ${code}`);
}

async function runHttp({ container, podIp, clock }: HookContext, action: HTTPGetAction): Promise<void> {
  await httpGet({ action, host: action.host || podIp, port: portNumber(action.port, container), timeoutMs: 60_000, clock, followRedirects: true });
}

/** Resolves when the handler is done; rejects when it failed. */
export async function runHook(context: HookContext, handler: LifecycleHandler, signal: AbortSignal): Promise<void> {
  if (handler.exec) return runExec(context, handler.exec.command ?? [], signal);
  if (handler.httpGet) return runHttp(context, handler.httpGet);
  if (handler.sleep) return sleep(context.clock, handler.sleep.seconds * 1000, signal);
}
