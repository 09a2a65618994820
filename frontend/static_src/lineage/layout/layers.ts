/** Step 1: take cycles out, give every node a layer, tighten what has slack. */

export interface Arc {
  from: number;
  to: number;
}

/** Returns the indices of edges that close a cycle (found depth first from the lowest node number). */
export function backEdges(count: number, arcs: readonly Arc[]): Set<number> {
  const out: number[][] = Array.from({ length: count }, () => []);
  arcs.forEach((arc, index) => out[arc.from]!.push(index));
  const colour = new Uint8Array(count);
  const back = new Set<number>();
  // An own stack: a chain of thousands of nodes must not exhaust the call stack.
  for (let root = 0; root < count; root++) {
    if (colour[root] !== 0) continue;
    const stack: { node: number; next: number }[] = [{ node: root, next: 0 }];
    colour[root] = 1;
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const index = out[top.node]![top.next++];
      if (index === undefined) {
        colour[top.node] = 2;
        stack.pop();
        continue;
      }
      const to = arcs[index]!.to;
      if (colour[to] === 1) back.add(index);
      else if (colour[to] === 0) {
        colour[to] = 1;
        stack.push({ node: to, next: 0 });
      }
    }
  }
  return back;
}

function topological(count: number, arcs: readonly Arc[]): number[] {
  const indegree = new Int32Array(count);
  const out: number[][] = Array.from({ length: count }, () => []);
  for (const arc of arcs) {
    indegree[arc.to]!++;
    out[arc.from]!.push(arc.to);
  }
  const order: number[] = [];
  for (let node = 0; node < count; node++) if (indegree[node] === 0) order.push(node);
  for (let head = 0; head < order.length; head++) {
    for (const to of out[order[head]!]!) if (--indegree[to]! === 0) order.push(to);
  }
  return order;
}

interface Sides {
  order: number[];
  into: number[][];
  out: number[][];
}

function sidesOf(count: number, arcs: readonly Arc[]): Sides {
  const into: number[][] = Array.from({ length: count }, () => []);
  const out: number[][] = Array.from({ length: count }, () => []);
  for (const arc of arcs) {
    into[arc.to]!.push(arc.from);
    out[arc.from]!.push(arc.to);
  }
  return { order: topological(count, arcs), into, out };
}

/**
 * Returns the layer of every node: the longest path from the left, then what has slack and nothing that
 * feeds it stands directly before its first successor, and nodes hinted as last (models) share the
 * rightmost layer any of them has. `arcs` must be free of cycles.
 */
export function assignLayers(count: number, arcs: readonly Arc[], isLast: (node: number) => boolean): Int32Array {
  const { order, into, out } = sidesOf(count, arcs);
  const layer = new Int32Array(count);
  for (const node of order) for (const to of out[node]!) layer[to] = Math.max(layer[to]!, layer[node]! + 1);
  for (const node of order) {
    if (into[node]!.length === 0 && out[node]!.length > 0) layer[node] = Math.min(...out[node]!.map((to) => layer[to]!)) - 1;
  }
  const ends = order.filter((node) => isLast(node) && out[node]!.length === 0 && into[node]!.length > 0);
  const last = Math.max(0, ...ends.map((node) => layer[node]!));
  for (const node of ends) layer[node] = last;
  return layer;
}

/**
 * Returns layers in which nodes that had one keep it, as far as edges still run left to right. A new
 * node stands directly after what feeds it, or directly before what it feeds. May be negative.
 */
export function extendLayers(count: number, arcs: readonly Arc[], old: (node: number) => number | undefined): Int32Array {
  const { order, into, out } = sidesOf(count, arcs);
  const layer = new Int32Array(count);
  const known = new Uint8Array(count);
  const settle = (node: number, at: number): void => {
    layer[node] = at;
    known[node] = 1;
  };
  for (const node of order) {
    const feeders = into[node]!.filter((from) => known[from]);
    const before = old(node);
    if (before !== undefined) settle(node, before);
    else if (feeders.length > 0) settle(node, Math.max(...feeders.map((from) => layer[from]!)) + 1);
  }
  for (const node of [...order].reverse()) {
    const fed = out[node]!.filter((to) => known[to]);
    if (!known[node]) settle(node, fed.length > 0 ? Math.min(...fed.map((to) => layer[to]!)) - 1 : 0);
  }
  for (const node of order) for (const to of out[node]!) layer[to] = Math.max(layer[to]!, layer[node]! + 1);
  return layer;
}
