/** What pods have that is a connection and no object: log, exec, attach and portforward. */
import type { ConnectSubresource } from "../../server/resources.ts";
import { podAttach, podExec, type PodExecDeps } from "./exec.ts";
import { podLog } from "./log.ts";
import { podPortForward } from "./port-forward.ts";

/** For the server, by `group/plural/subresource`. */
export const podConnects = (deps: PodExecDeps): ReadonlyMap<string, ConnectSubresource> =>
  new Map<string, ConnectSubresource>([
    ["/pods/log", { handle: podLog(deps) }],
    ["/pods/exec", { handle: podExec(deps), acts: true }],
    ["/pods/attach", { handle: podAttach(deps), acts: true }],
    ["/pods/portforward", { handle: podPortForward(deps), acts: true }],
  ]);
