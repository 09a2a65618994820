/** Steps 2 and 3: the order inside each layer, with as few crossings as sweeping finds. */

export type Layers = number[][];

/** Scratch space for positions, so that sweeping allocates nothing per layer. */
let place = new Int32Array(0);

function indexed(layer: readonly number[], down: readonly number[][]): Int32Array {
  if (place.length < down.length) place = new Int32Array(down.length);
  for (let i = 0; i < layer.length; i++) place[layer[i]!] = i;
  return place;
}

/** Counts crossings between two neighbouring layers with a Fenwick tree, in O(edges x log nodes). */
export function crossings(upper: readonly number[], lower: readonly number[], down: readonly number[][]): number {
  const position = indexed(lower, down);
  const tree = new Int32Array(lower.length + 1);
  let seen = 0;
  let count = 0;
  for (const node of upper) {
    const targets = down[node]!;
    for (const to of targets) {
      let before = 0;
      for (let i = position[to]! + 1; i > 0; i -= i & -i) before += tree[i]!;
      count += seen - before;
    }
    for (const to of targets) {
      for (let i = position[to]! + 1; i <= lower.length; i += i & -i) tree[i]!++;
      seen++;
    }
  }
  return count;
}

function allCrossings(layers: Layers, down: readonly number[][]): number {
  let sum = 0;
  for (let i = 0; i + 1 < layers.length; i++) sum += crossings(layers[i]!, layers[i + 1]!, down);
  return sum;
}

/** Puts nodes into their layers in the order a depth-first walk meets them. */
export function initialOrder(count: number, layerOf: Int32Array, down: readonly number[][], up: readonly number[][]): Layers {
  const depth = count === 0 ? 0 : Math.max(...layerOf) + 1;
  const layers: Layers = Array.from({ length: depth }, () => []);
  const seen = new Uint8Array(count);
  for (let root = 0; root < count; root++) {
    if (seen[root] || up[root]!.length > 0) continue;
    walk(root);
  }
  for (let root = 0; root < count; root++) if (!seen[root]) walk(root);
  return layers;

  function walk(root: number): void {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack.pop()!;
      if (seen[node]) continue;
      seen[node] = 1;
      layers[layerOf[node]!]!.push(node);
      for (let i = down[node]!.length - 1; i >= 0; i--) stack.push(down[node]![i]!);
    }
  }
}

/** Sorts one layer by the mean position of its neighbours in the fixed one; ties keep their place. */
function sortByMean(layer: readonly number[], fixed: readonly number[], neighbours: readonly number[][]): number[] {
  const position = indexed(fixed, neighbours);
  const mean = new Map<number, number>();
  layer.forEach((node, index) => {
    const near = neighbours[node]!;
    let sum = 0;
    for (const other of near) sum += position[other]!;
    mean.set(node, near.length === 0 ? index : sum / near.length);
  });
  return [...layer].sort((a, b) => mean.get(a)! - mean.get(b)!);
}

/** Sweeps down and up, `rounds` times altogether, and returns the best order met. */
export function reduceCrossings(start: Layers, down: readonly number[][], up: readonly number[][], rounds: number): Layers {
  let layers = start.map((layer) => [...layer]);
  let best = layers;
  let least = allCrossings(layers, down);
  for (let round = 0; round < rounds && least > 0; round++) {
    const next = layers.map((layer) => [...layer]);
    if (round % 2 === 0) {
      for (let i = 1; i < next.length; i++) next[i] = sortByMean(next[i]!, next[i - 1]!, up);
    } else {
      for (let i = next.length - 2; i >= 0; i--) next[i] = sortByMean(next[i]!, next[i + 1]!, down);
    }
    layers = next;
    const count = allCrossings(layers, down);
    if (count < least) {
      least = count;
      best = layers;
    }
  }
  return best;
}
