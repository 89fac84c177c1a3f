/**
 * The end of an event-loop turn as a port: what was begun in one turn (writes of many requests that arrived together) is finished together.
 */
export type TurnEnd = (callback: () => void) => void;

/** After this turn's I/O callbacks; lets I/O in between two turns, so a chain of turns never starves a socket. */
export const systemTurnEnd: TurnEnd = (callback) => void setImmediate(callback);

/** At the end of the running microtasks: for runs under a virtual clock, where nothing waits for I/O. */
export const microtaskTurnEnd: TurnEnd = (callback) => queueMicrotask(callback);
