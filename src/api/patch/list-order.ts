/**
 * The order of a merged list: items that the patch names in the patch's order, the others in the server's, new ones first.
 * Follows apimachinery pkg/util/strategicpatch/patch.go (normalizeElementOrder, mergeSortedSlice).
 */

/** An item's value of the merge key; the item itself in a list of scalars. */
export type Identity = (item: unknown) => unknown;

const position = (order: readonly unknown[], item: unknown, identity: Identity): number => order.findIndex((other) => identity(other) === identity(item));

/** Go's stable insertion sort with upstream's comparison, which says "less" of what it can't compare. */
function sortBy(items: readonly unknown[], order: readonly unknown[], identity: Identity): unknown[] {
  const sorted = [...items];
  const less = (a: unknown, b: unknown): boolean => {
    const [ia, ib] = [position(order, a, identity), position(order, b, identity)];
    return ia >= 0 && ib >= 0 ? ia < ib : true;
  };
  for (let i = 1; i < sorted.length; i++) {
    for (let j = i; j > 0 && less(sorted[j], sorted[j - 1]); j--) [sorted[j], sorted[j - 1]] = [sorted[j - 1], sorted[j]];
  }
  return sorted;
}

/** `merged` in the order that `patchOrder` and `serverOrder` ask for. */
export function orderItems(merged: readonly unknown[], patchOrder: readonly unknown[], serverOrder: readonly unknown[], identity: Identity): unknown[] {
  const named = new Set(patchOrder.map(identity));
  const right = sortBy(merged.filter((item) => named.has(identity(item))), patchOrder, identity);
  const left = sortBy(merged.filter((item) => !named.has(identity(item))), serverOrder, identity);
  const out: unknown[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const [li, ri] = [position(serverOrder, left[i], identity), position(serverOrder, right[j], identity)];
    if (li >= 0 && ri >= 0 && li < ri) out.push(left[i++]);
    else out.push(right[j++]);
  }
  return [...out, ...left.slice(i), ...right.slice(j)];
}
