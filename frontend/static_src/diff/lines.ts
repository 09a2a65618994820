/** A line by line comparison of two texts (longest common subsequence), folded where nothing changed. */

export type Pair = { older: string | null; newer: string | null } | { skipped: number };

const CONTEXT = 2;

function common(a: readonly string[], b: readonly string[]): Uint32Array[] {
  const length = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      length[i]![j] = a[i] === b[j] ? length[i + 1]![j + 1]! + 1 : Math.max(length[i + 1]![j]!, length[i]![j + 1]!);
    }
  }
  return length;
}

/** Returns pairs of lines side by side; a line that only one text has stands beside null. */
export function align(a: readonly string[], b: readonly string[]): { older: string | null; newer: string | null }[] {
  const length = common(a, b);
  const pairs: { older: string | null; newer: string | null }[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) pairs.push({ older: a[i++]!, newer: b[j++]! });
    else if (i < a.length && (j >= b.length || length[i + 1]![j]! >= length[i]![j + 1]!)) pairs.push({ older: a[i++]!, newer: null });
    else pairs.push({ older: null, newer: b[j++]! });
  }
  return pairs;
}

/** Folds runs of equal lines, keeping two on each side of a change. */
export function folded(pairs: readonly { older: string | null; newer: string | null }[]): Pair[] {
  const near = pairs.map((_, index) =>
    pairs.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some((pair) => pair.older !== pair.newer),
  );
  const result: Pair[] = [];
  pairs.forEach((pair, index) => {
    if (near[index]) {
      result.push(pair);
      return;
    }
    const last = result[result.length - 1];
    if (last && "skipped" in last) last.skipped++;
    else result.push({ skipped: 1 });
  });
  return result;
}
