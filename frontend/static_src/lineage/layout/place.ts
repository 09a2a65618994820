/** Step 4: heights on the page. Each layer is a small isotonic regression, so nothing ever overlaps. */

/**
 * Returns positions nearest to `wanted` (least squares, weighted) that keep the order and at least
 * `gap[i]` between item i-1 and item i. Pool adjacent violators; O(n).
 */
export function isotonic(wanted: readonly number[], weight: readonly number[], gap: readonly number[]): number[] {
  // Blocks as three parallel arrays: this runs for every layer in every pass.
  const weights: number[] = [];
  const sums: number[] = [];
  const sizes: number[] = [];
  let offset = 0;
  for (let i = 0; i < wanted.length; i++) {
    offset += i === 0 ? 0 : gap[i]!;
    let w = weight[i]!;
    let sum = (wanted[i]! - offset) * w;
    let size = 1;
    for (let top = sums.length - 1; top >= 0 && sums[top]! / weights[top]! > sum / w; top--) {
      w += weights.pop()!;
      sum += sums.pop()!;
      size += sizes.pop()!;
    }
    weights.push(w);
    sums.push(sum);
    sizes.push(size);
  }
  const positions: number[] = [];
  offset = 0;
  sums.forEach((sum, block) => {
    for (let k = 0; k < sizes[block]!; k++) {
      offset += positions.length === 0 ? 0 : gap[positions.length]!;
      positions.push(sum / weights[block]! + offset);
    }
  });
  return positions;
}

export interface Placing {
  layers: readonly (readonly number[])[];
  up: readonly (readonly number[])[];
  down: readonly (readonly number[])[];
  /** Least distance between the centres of two neighbours in a layer. */
  separation: (above: number, below: number) => number;
  /** Where an old node was and shall stay, else undefined. */
  anchor: (node: number) => number | undefined;
}

/** How much heavier an old node is than a new one: new nodes make room, old ones hardly move. */
const ANCHOR_WEIGHT = 400;

/** Returns the centre height of every node after `passes` sweeps over the layers, up and down by turns. */
export function placeHeights(count: number, placing: Placing, passes: number): Float64Array {
  const y = new Float64Array(count);
  const { layers, up, down, separation, anchor } = placing;
  for (const layer of layers) {
    let at = 0;
    layer.forEach((node, i) => {
      at += i === 0 ? 0 : separation(layer[i - 1]!, node);
      y[node] = at;
    });
    const middle = at / 2;
    for (const node of layer) y[node]! -= middle;
  }
  for (const layer of layers) for (const node of layer) y[node] = anchor(node) ?? y[node]!;
  const gaps = layers.map((layer) => layer.map((node, i) => (i === 0 ? 0 : separation(layer[i - 1]!, node))));
  const weights = layers.map((layer) =>
    layer.map((node) => (anchor(node) === undefined ? 1 + up[node]!.length + down[node]!.length : ANCHOR_WEIGHT)),
  );
  const wish = (node: number, forward: boolean): number => {
    const side = (forward ? up : down)[node]!;
    const near = side.length > 0 ? side : (forward ? down : up)[node]!;
    if (near.length === 0) return y[node]!;
    let sum = 0;
    for (const other of near) sum += y[other]!;
    return sum / near.length;
  };
  for (let pass = 0; pass < passes; pass++) {
    const forward = pass % 2 === 0;
    for (let step = 0; step < layers.length; step++) {
      const at = forward ? step : layers.length - 1 - step;
      const layer = layers[at]!;
      const wanted = layer.map((node) => anchor(node) ?? wish(node, forward));
      const placed = isotonic(wanted, weights[at]!, gaps[at]!);
      for (let i = 0; i < layer.length; i++) y[layer[i]!] = placed[i]!;
    }
  }
  return y;
}
