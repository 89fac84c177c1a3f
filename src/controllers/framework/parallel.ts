/** Does something for many things at once, but not for all of them. */

/** Calls `act` for each item, `limit` at a time; when calls fail the rest is still done, and then the first error is thrown. */
export async function inParallel<T>(items: Iterable<T>, limit: number, act: (item: T) => Promise<unknown>): Promise<void> {
  const left = items[Symbol.iterator]();
  const errors: unknown[] = [];
  const work = async () => {
    for (let next = left.next(); !next.done; next = left.next()) {
      try {
        await act(next.value);
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, work));
  if (errors.length > 0) throw errors[0];
}
