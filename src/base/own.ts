/**
 * Lookups by a text that somebody else chose: what every object inherits is not found, `constructor` being as good a name as any other.
 */

/** What a map has under a name. */
export const own = <T>(map: Readonly<Record<string, T>> | undefined, name: string): T | undefined => (map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined);

/** A table that may be asked for any text. */
export const table = <T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> => Object.setPrototypeOf({ ...entries }, null) as Readonly<Record<string, T>>;

/** Sets a key as data, `__proto__` included. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}
