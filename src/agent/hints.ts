/**
 * Spreads the runtime's hints to those who wait for one pod: they may come and go, the runtime has one listener.
 */
export interface Hints {
  /** Calls back when something of the pod may have changed, until the answer is called. */
  on(podUid: string, listener: () => void): () => void;
  emit(podUid: string): void;
}

export function openHints(): Hints {
  const listeners = new Map<string, Set<() => void>>();
  return {
    on(podUid, listener) {
      const own = listeners.get(podUid) ?? new Set();
      listeners.set(podUid, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(podUid) === own) listeners.delete(podUid);
      };
    },
    emit(podUid) {
      for (const listener of listeners.get(podUid) ?? []) listener();
    },
  };
}
