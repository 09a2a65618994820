/** Live refresh never moves rows under the pointer: known rows keep their order, new ones come last. */

export interface Settled<T> {
  rows: T[];
  /** How many known rows the server would have put elsewhere. */
  moved: number;
}

/** Returns `incoming` in the order of `current` keys, and how many rows were held back. */
export function keepOrder<T>(current: readonly string[], incoming: readonly T[], keyOf: (row: T) => string): Settled<T> {
  const place = new Map(current.map((key, index) => [key, index]));
  const known = incoming.filter((row) => place.has(keyOf(row)));
  const fresh = incoming.filter((row) => !place.has(keyOf(row)));
  const held = [...known].sort((a, b) => place.get(keyOf(a))! - place.get(keyOf(b))!);
  const moved = held.filter((row, index) => keyOf(row) !== keyOf(known[index]!)).length;
  return { rows: [...held, ...fresh], moved };
}
