/** The log of a process: pino to stderr where somebody wants to read it, silence else. */
import { systemClock } from "../base/clock.ts";
import { silentLogger, type LogFields, type Logger } from "../base/logger.ts";
import type { Logger as PinoLogger } from "pino";

const adapt = (pino: PinoLogger): Logger => ({
  debug: (message, fields) => pino.debug(plain(fields), message),
  info: (message, fields) => pino.info(plain(fields), message),
  warn: (message, fields) => pino.warn(plain(fields), message),
  error: (message, fields) => pino.error(plain(fields), message),
  child: (fields) => adapt(pino.child(plain(fields))),
});

/** Errors as their stacks: a log is for whoever looks for the cause. */
const plain = (fields: LogFields = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? (value.stack ?? value.message) : value]));

/** Errors alone, as lines of the same form: a server's clients are told that its log says why. */
export function errorLogger(write: (line: string) => void, given: LogFields = {}): Logger {
  return {
    ...silentLogger,
    error: (msg, fields) => write(`${JSON.stringify({ level: 50, time: new Date(systemClock.now()).toISOString(), ...plain({ ...given, ...fields }), msg })}\n`),
    child: (fields) => errorLogger(write, { ...given, ...fields }),
  };
}

/** Everything from debug up to stderr when `verbose`; nothing otherwise. */
export async function openLogger(verbose: boolean): Promise<Logger> {
  if (!verbose) return silentLogger;
  // CommonJS: in the bundle it has a default export and nothing else.
  const { default: pino } = await import("pino");
  return adapt(pino({ level: "debug", base: null, timestamp: () => `,"time":"${new Date(systemClock.now()).toISOString()}"` }, pino.destination({ dest: 2, sync: false })));
}
