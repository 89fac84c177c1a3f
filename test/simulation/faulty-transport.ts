/**
 * The road between controllers and registry, with everything that can happen on it: calls that take long, fail, or are answered into the void;
 * watches that lag, repeat themselves and break off. A transport that was killed answers nothing more: its server is dead.
 */
import type { Chance } from "../../src/base/chance.ts";
import { sleep, type Clock } from "../../src/base/clock.ts";
import type { Api, ApiRequest, Caller, WatchEvent, WatchSink } from "../../src/api/request.ts";
import { conflict, internalError, OBJECT_MODIFIED, StatusError } from "../../src/api/status-error.ts";

/** How likely each fault is, from 0 to 1; all 0 when the weather is calm. */
export interface Weather {
  readonly delay: number;
  readonly error: number;
  readonly lost: number;
  readonly lag: number;
  readonly repeat: number;
  readonly breakOff: number;
}

export const CALM: Weather = { delay: 0, error: 0, lost: 0, lag: 0, repeat: 0, breakOff: 0 };
export const STORMY: Weather = { delay: 0.3, error: 0.04, lost: 0.04, lag: 0.4, repeat: 0.1, breakOff: 0.02 };

export interface TransportDeps {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly weather: () => Weather;
  readonly log: (line: string) => void;
  /** The registry did it, and the caller was not told. */
  readonly onLost: (request: ApiRequest) => void;
}

const DELAY_MS_MAX = 400;
const LAG_MS_MAX = 1500;

const isWrite = (request: ApiRequest): boolean => request.verb !== "get" && request.verb !== "list";

export class FaultyTransport implements Api {
  readonly #api: Api;
  readonly #deps: TransportDeps;
  readonly #lines = new Set<WatchLine>();
  #dead = false;

  constructor(api: Api, deps: TransportDeps) {
    this.#api = api;
    this.#deps = deps;
  }

  /** The server is killed: what is on its way arrives nowhere. */
  kill(): void {
    this.#dead = true;
    for (const line of this.#lines) line.stop();
    this.#lines.clear();
  }

  async handle(request: ApiRequest, caller: Caller) {
    await this.#pause();
    this.#refuse(request);
    const answer = await this.#orNever(this.#api.handle(request, caller));
    await this.#pause();
    if (isWrite(request) && this.#hits("lost")) {
      this.#deps.onLost(request);
      this.#deps.log(`lost the answer to ${describe(request)}`);
      throw internalError("the connection broke");
    }
    return answer;
  }

  async watch(request: Parameters<Api["watch"]>[0], caller: Caller, sink: WatchSink) {
    await this.#pause();
    if (this.#hits("error")) throw new StatusError({ code: 410, reason: "Expired", message: "too old resource version" });
    const line = new WatchLine(sink, this.#deps, () => this.#dead);
    this.#lines.add(line);
    line.handle = await this.#orNever(this.#api.watch(request, caller, line));
    return {
      stop: () => {
        this.#lines.delete(line);
        line.stop();
      },
    };
  }

  #hits(fault: keyof Weather): boolean {
    const odds = this.#deps.weather()[fault];
    return odds > 0 && this.#deps.chance.next() < odds;
  }

  async #pause(): Promise<void> {
    if (this.#hits("delay")) await sleep(this.#deps.clock, this.#deps.chance.next() * DELAY_MS_MAX);
    await this.#orNever(Promise.resolve());
  }

  #refuse(request: ApiRequest): void {
    if (!this.#hits("error")) return;
    this.#deps.log(`refused ${describe(request)}`);
    const overtaken = (request.verb === "update" || request.verb === "patch") && this.#deps.chance.next() < 0.5;
    throw overtaken ? conflict(request.resource, request.name, OBJECT_MODIFIED) : internalError("the weather is bad");
  }

  #orNever<T>(promise: Promise<T>): Promise<T> {
    if (this.#dead) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => (this.#dead ? undefined : resolve(value)),
        (error: unknown) => (this.#dead ? undefined : reject(error instanceof Error ? error : new Error(String(error)))),
      );
    });
  }
}

/** One watch: hands events on in order, late or twice, until it breaks off. */
class WatchLine implements WatchSink {
  handle: { stop(): void } | undefined;
  readonly #sink: WatchSink;
  readonly #deps: TransportDeps;
  readonly #isDead: () => boolean;
  readonly #waiting: (readonly WatchEvent[])[] = [];
  #lagging = false;
  #over = false;

  constructor(sink: WatchSink, deps: TransportDeps, isDead: () => boolean) {
    this.#sink = sink;
    this.#deps = deps;
    this.#isDead = isDead;
  }

  onEvents = (events: readonly WatchEvent[]): void => {
    const { chance, clock, log } = this.#deps;
    const weather = this.#deps.weather();
    if (this.#over) return;
    if (weather.breakOff > 0 && chance.next() < weather.breakOff) {
      log("a watch broke off");
      this.stop();
      clock.after(1, () => this.#tell(() => this.#sink.onEnd()));
      return;
    }
    const twice = weather.repeat > 0 && chance.next() < weather.repeat;
    this.#waiting.push(twice ? events.flatMap((e) => [e, e]) : events);
    if (this.#lagging) return;
    if (weather.lag > 0 && chance.next() < weather.lag) {
      this.#lagging = true;
      clock.after(chance.next() * LAG_MS_MAX, () => this.#catchUp());
    } else this.#catchUp();
  };

  onEnd = (): void => {
    if (this.#over) return;
    this.#over = true;
    this.#tell(() => this.#sink.onEnd());
  };

  stop(): void {
    this.#over = true;
    this.handle?.stop();
  }

  #catchUp(): void {
    this.#lagging = false;
    const batches = this.#waiting.splice(0);
    if (this.#over) return;
    for (const batch of batches) this.#tell(() => this.#sink.onEvents(batch));
  }

  #tell(call: () => void): void {
    if (!this.#isDead()) call();
  }
}

export function describe(request: ApiRequest): string {
  const name = "name" in request && request.name !== undefined ? ` ${request.name}` : "";
  const subresource = "subresource" in request && request.subresource ? `/${request.subresource}` : "";
  return `${request.verb} ${request.resource.plural}${name}${subresource}`;
}
