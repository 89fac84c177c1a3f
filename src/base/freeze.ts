/** Makes plain data unchangeable, all the way down, so that it can be shared. */

/** Freezes `value` and everything in it; returns it. */
export function freezeDeeply<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) freezeDeeply(member);
  return Object.freeze(value);
}
