/**
 * Chance and ids as ports, so that a run can be replayed from its seed.
 */
import { randomBytes, randomUUID } from "node:crypto";

export interface Chance {
  /** A number in [0, 1). */
  next(): number;
}

export interface Ids {
  /** A fresh RFC 4122 UUID (version 4 form). */
  uid(): string;
  /** `length` characters of the alphabet that Kubernetes gives to generated names (no vowels, no 0, 1, 3). */
  suffix(length: number): string;
}

/** Follows kubernetes staging/src/k8s.io/apimachinery/pkg/util/rand (alphanums). */
export const SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

export const systemChance: Chance = { next: () => Math.random() };

/** Bytes are drawn many at a time: a call of the system's generator costs more than a pod's name should. */
const POOL_BYTES = 4096;
let pool: Buffer | undefined;
let used = 0;

function nextByte(): number {
  if (!pool || used >= pool.length) [pool, used] = [randomBytes(POOL_BYTES), 0];
  return pool[used++] ?? 0;
}

export const systemIds: Ids = {
  uid: () => randomUUID(),
  suffix: (length) => Array.from({ length }, () => SUFFIX_ALPHABET[nextByte() % SUFFIX_ALPHABET.length]).join(""),
};

/** mulberry32: small, fast and the same on every machine. */
export function seededChance(seed: number): Chance {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/** Ids drawn from `chance`: the same seed gives the same ids. */
export function seededIds(chance: Chance): Ids {
  const digit = (radix: number) => Math.floor(chance.next() * radix);
  const hex = (length: number) => Array.from({ length }, () => digit(16).toString(16)).join("");
  return {
    uid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${(8 + digit(4)).toString(16)}${hex(3)}-${hex(12)}`,
    suffix: (length) => Array.from({ length }, () => SUFFIX_ALPHABET[digit(SUFFIX_ALPHABET.length)]).join(""),
  };
}
