/** The graph as the explorer holds it: merging answers, walking, folding siblings into stacks, sentences. */
import { bySeverity, isProblem, KINDS, WORDS, type Graph, type GraphEdge, type GraphNode, type State } from "./types";

export const SIBLINGS_SHOWN = 8;
export const EXPAND_BY = 8;
export const MOST_NODES = 400;

export interface Neighbours {
  up: Map<string, string[]>;
  down: Map<string, string[]>;
}

/** A group of siblings drawn as one box. */
export interface Stack {
  id: string;
  members: string[];
  problems: number;
  parent: string;
  side: "up" | "down";
}

const byName = (a: GraphNode, b: GraphNode): number => a.name.localeCompare(b.name, "en", { numeric: true }) || (a.id < b.id ? -1 : 1);

const edgeKey = (edge: GraphEdge): string => `${edge.from}\n${edge.to}`;

/** Joins an answer into what is held: newer facts win, edges are a union, focus and cause stay. */
export function merge(held: Graph, answer: Graph): Graph {
  const nodes = new Map(held.nodes.map((node) => [node.id, node]));
  for (const node of answer.nodes) if (nodes.has(node.id) || nodes.size < MOST_NODES) nodes.set(node.id, node);
  const edges = new Map(held.edges.map((edge) => [edgeKey(edge), edge]));
  for (const edge of answer.edges) if (nodes.has(edge.from) && nodes.has(edge.to)) edges.set(edgeKey(edge), edge);
  const path = answer.cause_path?.length ? answer.cause_path : held.cause_path;
  return { ...held, nodes: [...nodes.values()], edges: [...edges.values()], cause_path: path, cause: answer.cause ?? held.cause, as_of: answer.as_of };
}

export function neighbours(graph: Graph): Neighbours {
  const up = new Map<string, string[]>(graph.nodes.map((node) => [node.id, []]));
  const down = new Map<string, string[]>(graph.nodes.map((node) => [node.id, []]));
  for (const edge of graph.edges) {
    down.get(edge.from)?.push(edge.to);
    up.get(edge.to)?.push(edge.from);
  }
  return { up, down };
}

/** Everything that `start` reaches over `side`, itself included, with the number of hops. */
export function reach(start: string, side: Map<string, string[]>): Map<string, number> {
  const hops = new Map([[start, 0]]);
  const queue = [start];
  for (let head = 0; head < queue.length; head++) {
    for (const next of side.get(queue[head]!) ?? []) {
      if (hops.has(next)) continue;
      hops.set(next, hops.get(queue[head]!)! + 1);
      queue.push(next);
    }
  }
  return hops;
}

/** The nodes and edges of every path through `node`. */
export function pathThrough(graph: Graph, node: string): { nodes: Set<string>; isOn: (edge: GraphEdge) => boolean } {
  const { up, down } = neighbours(graph);
  const [above, below] = [reach(node, up), reach(node, down)];
  return {
    nodes: new Set([...above.keys(), ...below.keys()]),
    isOn: (edge) => (above.has(edge.from) && above.has(edge.to)) || (below.has(edge.from) && below.has(edge.to)),
  };
}

/**
 * Folds leaves that hang on the same single neighbour: the worst eight stay, every problem stays, the
 * rest become one stack. `open` says how many more were asked for, by stack.
 */
export function foldSiblings(graph: Graph, keep: ReadonlySet<string>, open: ReadonlyMap<string, number>): { hidden: Set<string>; stacks: Stack[] } {
  const { up, down } = neighbours(graph);
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const groups = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) {
    const [above, below] = [up.get(node.id)!, down.get(node.id)!];
    if (keep.has(node.id) || above.length + below.length !== 1) continue;
    const side = above.length === 1 ? "down" : "up";
    const key = `stack:${side}:${above[0] ?? below[0]}`;
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  const hidden = new Set<string>();
  const stacks: Stack[] = [];
  for (const [id, members] of groups) {
    const sorted = [...members].sort((a, b) => bySeverity(a.state, b.state) || byName(a, b));
    const room = SIBLINGS_SHOWN + (open.get(id) ?? 0);
    const folded = sorted.slice(room).filter((node) => !isProblem(node.state) || sorted.indexOf(node) >= room + SIBLINGS_SHOWN);
    if (folded.length < 2) continue;
    for (const node of folded) hidden.add(node.id);
    const [, side, ...parent] = id.split(":");
    stacks.push({
      id,
      members: folded.map((node) => node.id),
      problems: folded.filter((node) => isProblem(byId.get(node.id)!.state)).length,
      parent: parent.join(":"),
      side: side as "up" | "down",
    });
  }
  return { hidden, stacks };
}

export interface TableRow {
  node: GraphNode;
  depth: number;
  via: string;
  onCausePath: boolean;
}

/** Every node of the graph as a row: hops from the focus (negative upstream), and through which neighbour. */
export function tableRows(graph: Graph): TableRow[] {
  const { up, down } = neighbours(graph);
  const depth = new Map<string, number>();
  const via = new Map<string, string>();
  const name = new Map(graph.nodes.map((node) => [node.id, node.name]));
  const path = new Set(graph.cause_path ?? []);
  for (const [side, back, sign] of [[up, down, -1], [down, up, 1]] as const) {
    for (const [id, hops] of reach(graph.focus, side)) {
      if (depth.has(id) && Math.abs(depth.get(id)!) <= hops) continue;
      depth.set(id, hops === 0 ? 0 : sign * hops);
      const nearer = (back.get(id) ?? []).find((other) => reach(graph.focus, side).get(other) === hops - 1);
      if (nearer) via.set(id, nearer);
    }
  }
  // What hangs on neither side (a sibling's other input) still belongs into the table.
  const rest = graph.nodes.filter((node) => !depth.has(node.id));
  for (const node of rest) depth.set(node.id, 0);
  return graph.nodes
    .map((node) => ({ node, depth: depth.get(node.id)!, via: name.get(via.get(node.id) ?? "") ?? "", onCausePath: path.has(node.id) }))
    .sort((a, b) => a.depth - b.depth || bySeverity(a.node.state, b.node.state) || (a.node.id < b.node.id ? -1 : 1));
}

/** Non-fresh nodes, worst first, then the most upstream. */
export function problems(graph: Graph): GraphNode[] {
  const depth = new Map(tableRows(graph).map((row) => [row.node.id, row.depth]));
  return graph.nodes
    .filter((node) => isProblem(node.state))
    .sort((a, b) => bySeverity(a.state, b.state) || depth.get(a.id)! - depth.get(b.id)! || (a.id < b.id ? -1 : 1));
}

const many = (count: number, word: string): string => `${count} ${word}`;

/** What a screen reader says of a node. */
export function sentence(node: GraphNode, graph: Graph): string {
  const { up, down } = neighbours(graph);
  const parts = [`${node.name}, ${KINDS[node.kind] ?? node.kind}`, `${stateWord(node.state).toLowerCase()}${node.detail ? ` ${node.detail}` : ""}`];
  parts.push(many(node.up_total ?? up.get(node.id)?.length ?? 0, "upstream"), many(node.down_total ?? down.get(node.id)?.length ?? 0, "downstream"));
  const path = graph.cause_path ?? [];
  const step = path.indexOf(node.id);
  if (step >= 0) parts.push(`step ${step + 1} of ${path.length} of the cause${step === 0 ? ", the cause" : ""}`);
  if (node.id === graph.focus) parts.push("focus");
  return parts.join(", ");
}

/** A state nobody has heard of is told as No data, never as fresh. */
export const stateWord = (state: State): string => WORDS[state] ?? WORDS.no_data;

/** Shortens in the middle: both the start and the end of a name tell it from its siblings. */
export function ellipsis(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
}

export const undrawn = (total: number | null, drawn: number): number => Math.max(0, (total ?? drawn) - drawn);
