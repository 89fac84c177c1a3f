/** `stint up` with nothing to do: resident memory, and CPU over a minute. Usage: node bench/idle.ts [SECONDS] */
import { Sandbox, Server } from "../test/support/stint.ts";
import { cpuSeconds, machine, residentMB } from "./machine.ts";

const seconds = Number(process.argv[2] ?? 60);
const sandbox = await Sandbox.make();
const server = await Server.start(sandbox);
const wait = (s: number) => new Promise((resolve) => setTimeout(resolve, s * 1000));
await wait(10);
const before = cpuSeconds(server.pid);
await wait(seconds);
console.log(machine());
console.log(`resident ${residentMB(server.pid).toFixed(0)} MB; CPU ${(((cpuSeconds(server.pid) - before) / seconds) * 100).toFixed(2)} % of a core over ${seconds} s`);
await server.stop();
await sandbox.remove();
