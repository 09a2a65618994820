/**
 * The layered layout of the explorer: data flows left to right, nothing overlaps, the same graph gives
 * the same picture, and when a hop is expanded the nodes that were there stay where they were.
 */
import { assignLayers, backEdges, extendLayers, type Arc } from "./layers";
import { initialOrder, reduceCrossings, type Layers } from "./order";
import { placeHeights } from "./place";

export interface Box {
  id: string;
  width: number;
  height: number;
  /** Stands in the rightmost layer when nothing follows it (models). */
  last?: boolean;
}

export interface Link {
  from: string;
  to: string;
}

export interface Placed {
  id: string;
  /** Top left corner. */
  x: number;
  y: number;
  width: number;
  height: number;
  layer: number;
}

export interface Route {
  from: string;
  to: string;
  /** The layers' columns that the edge passes through, by centre height. */
  via: { x: number; y: number; width: number }[];
  /** Whether it closes a cycle and is drawn as a return arc. */
  back: boolean;
}

export interface Layout {
  nodes: Map<string, Placed>;
  routes: Route[];
  width: number;
  height: number;
}

export const COLUMN_GAP = 84;
export const NODE_GAP = 24;
export const THREAD_GAP = 16;
const SWEEPS = 24;
const PASSES = 16;

interface Work {
  boxes: Box[];
  arcs: Arc[];
  back: Set<number>;
  layerOf: number[];
  up: number[][];
  down: number[][];
  threads: Map<number, number[]>;
}

function prepare(boxes: readonly Box[], links: readonly Link[], previous?: Layout): Work {
  // Old nodes come first, so that the walk which finds cycles breaks them where it did before.
  const isNew = (box: Box): number => (previous && !previous.nodes.has(box.id) ? 1 : 0);
  const sorted = [...boxes].sort((a, b) => isNew(a) - isNew(b) || (a.id < b.id ? -1 : 1));
  const number = new Map(sorted.map((box, index) => [box.id, index]));
  const arcs = links
    .filter((link) => link.from !== link.to && number.has(link.from) && number.has(link.to))
    .map((link) => ({ from: number.get(link.from)!, to: number.get(link.to)! }))
    .sort((a, b) => a.from - b.from || a.to - b.to)
    .filter((arc, index, all) => index === 0 || arc.from !== all[index - 1]!.from || arc.to !== all[index - 1]!.to);
  const back = backEdges(sorted.length, arcs);
  const forward = arcs.filter((_, index) => !back.has(index));
  const layerOf = layersOf(sorted, forward, previous);
  const up: number[][] = sorted.map(() => []);
  const down: number[][] = sorted.map(() => []);
  const threads = new Map<number, number[]>();
  const join = (a: number, b: number): void => {
    down[a]!.push(b);
    up[b]!.push(a);
  };
  arcs.forEach((arc, index) => {
    if (back.has(index)) return;
    let previous = arc.from;
    const thread: number[] = [];
    for (let layer = layerOf[arc.from]! + 1; layer < layerOf[arc.to]!; layer++) {
      const dummy = layerOf.push(layer) - 1;
      up.push([]);
      down.push([]);
      join(previous, dummy);
      thread.push(dummy);
      previous = dummy;
    }
    join(previous, arc.to);
    if (thread.length > 0) threads.set(index, thread);
  });
  return { boxes: sorted, arcs, back, layerOf, up, down, threads };
}

function layersOf(boxes: readonly Box[], forward: readonly Arc[], previous?: Layout): number[] {
  if (!previous) return [...assignLayers(boxes.length, forward, (node) => boxes[node]!.last === true)];
  const layers = extendLayers(boxes.length, forward, (node) => previous.nodes.get(boxes[node]!.id)?.layer);
  const first = Math.min(0, ...layers);
  return [...layers].map((layer) => layer - first);
}

/** Old nodes keep their order; a new one goes where the mean of its old neighbours is. */
function anchoredOrder(work: Work, before: (node: number) => number | undefined): Layers {
  const depth = Math.max(-1, ...work.layerOf) + 1;
  const layers: Layers = Array.from({ length: depth }, () => []);
  const wish = new Map<number, number>();
  const wanted = (node: number, hops: number): number | undefined => {
    const own = before(node);
    if (own !== undefined) return own;
    if (hops === 0) return undefined;
    const near = [...work.up[node]!, ...work.down[node]!].map((n) => wanted(n, hops - 1)).filter((at) => at !== undefined);
    return near.length > 0 ? near.reduce((a, b) => a + b, 0) / near.length : undefined;
  };
  work.layerOf.forEach((layer, node) => {
    wish.set(node, wanted(node, 2) ?? Number.MAX_SAFE_INTEGER);
    layers[layer]!.push(node);
  });
  for (const layer of layers) layer.sort((a, b) => wish.get(a)! - wish.get(b)! || a - b);
  return layers;
}

/** Where the threads of long edges ran that still pass the same number of layers. */
function oldThreads(work: Work, previous: Layout): Map<number, number> {
  const key = (from: string, to: string): string => `${from}\n${to}`;
  const old = new Map(previous.routes.map((route) => [key(route.from, route.to), route.via]));
  const heights = new Map<number, number>();
  for (const [index, thread] of work.threads) {
    const arc = work.arcs[index]!;
    const via = old.get(key(work.boxes[arc.from]!.id, work.boxes[arc.to]!.id));
    if (via?.length === thread.length) thread.forEach((dummy, i) => heights.set(dummy, via[i]!.y));
  }
  return heights;
}

function columns(work: Work, layers: Layers): { x: number[]; width: number[] } {
  const width = layers.map((layer) => Math.max(0, ...layer.map((node) => work.boxes[node]?.width ?? 0)));
  const x: number[] = [];
  let at = 0;
  for (const each of width) {
    x.push(at);
    at += each + COLUMN_GAP;
  }
  return { x, width };
}

const median = (values: number[]): number => {
  const sorted = values.sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[sorted.length >> 1]!;
};

/** Lays the graph out. With `previous`, nodes of that layout stay where they were as far as they can. */
export function layOut(boxes: readonly Box[], links: readonly Link[], previous?: Layout): Layout {
  const work = prepare(boxes, links, previous);
  const total = work.layerOf.length;
  const isNode = (node: number): boolean => node < work.boxes.length;
  const height = (node: number): number => work.boxes[node]?.height ?? 0;
  const threadsBefore = previous ? oldThreads(work, previous) : new Map<number, number>();
  const before = (node: number): number | undefined => {
    if (!isNode(node)) return threadsBefore.get(node);
    const old = previous?.nodes.get(work.boxes[node]!.id);
    return old && old.y + old.height / 2;
  };
  const layers = previous
    ? anchoredOrder(work, before)
    : reduceCrossings(initialOrder(total, Int32Array.from(work.layerOf), work.down, work.up), work.down, work.up, SWEEPS);
  const separation = (a: number, b: number): number =>
    (height(a) + height(b)) / 2 + (isNode(a) && isNode(b) ? NODE_GAP : THREAD_GAP);
  const y = placeHeights(total, { layers, up: work.up, down: work.down, separation, anchor: before }, PASSES);
  const { x, width } = columns(work, layers);

  const moved = work.boxes.flatMap((box, node) => {
    const old = previous?.nodes.get(box.id);
    return old ? [old.x - x[work.layerOf[node]!]!] : [];
  });
  const shiftX = median(moved);
  const top = previous ? 0 : Math.min(0, ...work.boxes.map((box, node) => y[node]! - box.height / 2));
  const nodes = new Map<string, Placed>();
  work.boxes.forEach((box, node) => {
    const layer = work.layerOf[node]!;
    nodes.set(box.id, { id: box.id, x: x[layer]! + shiftX, y: y[node]! - box.height / 2 - top, width: box.width, height: box.height, layer });
  });
  const routes = work.arcs.map((arc, index) => ({
    from: work.boxes[arc.from]!.id,
    to: work.boxes[arc.to]!.id,
    back: work.back.has(index),
    via: (work.threads.get(index) ?? []).map((dummy) => {
      const layer = work.layerOf[dummy]!;
      return { x: x[layer]! + shiftX, y: y[dummy]! - top, width: width[layer]! };
    }),
  }));
  return { nodes, routes, ...extent(nodes) };
}

function extent(nodes: Map<string, Placed>): { width: number; height: number } {
  const all = [...nodes.values()];
  if (all.length === 0) return { width: 0, height: 0 };
  return {
    width: Math.max(...all.map((n) => n.x + n.width)) - Math.min(...all.map((n) => n.x)),
    height: Math.max(...all.map((n) => n.y + n.height)) - Math.min(...all.map((n) => n.y)),
  };
}
