/** Step 4: heights on the page. Each layer is a small isotonic regression, so nothing ever overlaps. */

interface Block {
  weight: number;
  sum: number;
  size: number;
}

/**
 * Returns positions nearest to `wanted` (least squares, weighted) that keep the order and at least
 * `gap[i]` between item i-1 and item i. Pool adjacent violators; O(n).
 */
export function isotonic(wanted: readonly number[], weight: readonly number[], gap: readonly number[]): number[] {
  const offset: number[] = [];
  let sum = 0;
  for (let i = 0; i < wanted.length; i++) offset.push((sum += i === 0 ? 0 : gap[i]!));
  const blocks: Block[] = [];
  for (let i = 0; i < wanted.length; i++) {
    blocks.push({ weight: weight[i]!, sum: (wanted[i]! - offset[i]!) * weight[i]!, size: 1 });
    while (blocks.length > 1) {
      const [a, b] = [blocks[blocks.length - 2]!, blocks[blocks.length - 1]!];
      if (a.sum / a.weight <= b.sum / b.weight) break;
      blocks.splice(-2, 2, { weight: a.weight + b.weight, sum: a.sum + b.sum, size: a.size + b.size });
    }
  }
  const positions: number[] = [];
  for (const block of blocks) {
    for (let k = 0; k < block.size; k++) positions.push(block.sum / block.weight + offset[positions.length]!);
  }
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

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

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
  for (let pass = 0; pass < passes; pass++) {
    const forward = pass % 2 === 0;
    for (let step = 0; step < layers.length; step++) {
      const layer = layers[forward ? step : layers.length - 1 - step]!;
      const wanted = layer.map((node) => {
        const held = anchor(node);
        if (held !== undefined) return held;
        const side = (forward ? up : down)[node]!;
        const near = side.length > 0 ? side : (forward ? down : up)[node]!;
        return near.length > 0 ? mean(near.map((n) => y[n]!)) : y[node]!;
      });
      const weight = layer.map((node) => (anchor(node) === undefined ? 1 + up[node]!.length + down[node]!.length : ANCHOR_WEIGHT));
      const gap = layer.map((node, i) => (i === 0 ? 0 : separation(layer[i - 1]!, node)));
      isotonic(wanted, weight, gap).forEach((position, i) => {
        y[layer[i]!] = position;
      });
    }
  }
  return y;
}
