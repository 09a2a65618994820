/** The picture: nodes as buttons, edges as curves, the way to the cause with numbered steps. */
import { layOut, type Box, type Layout, type Link, type Placed, type Route } from "./layout/layout";
import { ellipsis, foldSiblings, pathThrough, sentence, undrawn, type Stack } from "./model";
import { picture, svg, toneOf } from "./svg";
import type { Graph, GraphEdge, GraphNode } from "./types";

export const NODE = { width: 220, height: 56 };
const STACK = { width: 160, height: 28 };

export interface Scene {
  layout: Layout;
  stacks: Stack[];
  shown: GraphNode[];
}

/** Places what is to be drawn: nodes that are not folded away, and the stacks that stand for the others. */
export function compose(graph: Graph, open: ReadonlyMap<string, number>, previous?: Layout): Scene {
  const keep = new Set([graph.focus, ...(graph.cause_path ?? [])]);
  const { hidden, stacks } = foldSiblings(graph, keep, open);
  const shown = graph.nodes.filter((node) => !hidden.has(node.id));
  const boxes: Box[] = [
    ...shown.map((node) => ({ id: node.id, ...NODE, last: node.kind === "model" })),
    ...stacks.map((stack) => ({ id: stack.id, ...STACK })),
  ];
  const links: Link[] = [
    ...graph.edges.filter((edge) => !hidden.has(edge.from) && !hidden.has(edge.to)),
    ...stacks.map((stack) => (stack.side === "down" ? { from: stack.parent, to: stack.id } : { from: stack.id, to: stack.parent })),
  ];
  return { layout: layOut(boxes, links, previous), stacks, shown };
}

const right = (n: Placed): [number, number] => [n.x + n.width, n.y + n.height / 2];
const left = (n: Placed): [number, number] => [n.x, n.y + n.height / 2];

function curve(from: [number, number], to: [number, number]): string {
  const bend = Math.max(24, (to[0] - from[0]) / 2);
  return `C${from[0] + bend} ${from[1]} ${to[0] - bend} ${to[1]} ${to[0]} ${to[1]}`;
}

/** An edge's path: through the layers it passes, or as an arc below for one that closes a cycle. */
export function pathOf(route: Route, nodes: Map<string, Placed>): { d: string; middle: [number, number] } {
  const [a, b] = [nodes.get(route.from)!, nodes.get(route.to)!];
  if (route.back) {
    const [ax, bx] = [a.x + a.width / 2, b.x + b.width / 2];
    const [ay, by] = [a.y + a.height, b.y + b.height];
    const low = Math.max(ay, by) + 44;
    return { d: `M${ax} ${ay}C${ax} ${low} ${bx} ${low} ${bx} ${by}`, middle: [(ax + bx) / 2, low - 10] };
  }
  const start = right(a);
  let d = `M${start[0]} ${start[1]}`;
  let at = start;
  for (const { x, y, width } of route.via) {
    d += `${curve(at, [x, y])}H${x + width}`;
    at = [x + width, y];
  }
  const end = left(b);
  d += curve(at, end);
  return { d, middle: [(at[0] + end[0]) / 2, (at[1] + end[1]) / 2] };
}

function drawEdge(route: Route, scene: Scene, edge: GraphEdge | undefined, step: number): SVGGElement {
  const { d, middle } = pathOf(route, scene.layout.nodes);
  const broken = edge?.state === "broken";
  const names = ["edge", edge?.kind === "control" ? "control" : "", broken ? "broken" : "", step > 0 ? "cause" : "", edge ? "" : "to-stack"];
  const group = svg("g", { class: names.filter(Boolean).join(" "), "data-from": route.from, "data-to": route.to, "aria-hidden": "true" }, svg("path", { d }));
  if (broken && step === 0) group.append(svg("path", { class: "gap", d: `M${middle[0] - 4} ${middle[1] - 6}l8 12M${middle[0] + 4} ${middle[1] - 6}l-8 12` }));
  if (step > 0) group.append(svg("circle", { class: "step", cx: middle[0], cy: middle[1], r: 9 }), svg("text", { class: "step-no", x: middle[0], y: middle[1] + 4 }, String(step)));
  if (route.back) group.append(svg("text", { class: "cycle", x: middle[0], y: middle[1] }, "cycle"));
  return group;
}

/** The control at a node's side: how many of its neighbours are drawn, press to draw more. */
function counter(node: GraphNode, at: Placed, side: "up" | "down"): SVGGElement | null {
  const total = node[`${side}_total`];
  const drawn = node[`${side}_drawn`] ?? 0;
  if (total === null || undrawn(total, drawn) - (node.hidden ?? 0) <= 0) return null;
  const more = undrawn(total, drawn);
  return svg(
    "g",
    {
      class: "counter", role: "button", tabindex: -1, "data-expand": side, "data-of": node.id,
      "aria-label": `${drawn}/${total}: show ${more} more ${side === "up" ? "upstream" : "downstream"} of ${node.name}`,
      transform: `translate(${side === "up" ? at.x - 20 : at.x + at.width - 20} ${at.y + at.height - 13})`,
    },
    svg("rect", { width: 40, height: 24, rx: 12 }),
    svg("text", { x: 20, y: 16 }, `${drawn}/${total}`),
  );
}

function drawNode(node: GraphNode, graph: Graph, at: Placed): SVGGElement {
  const isFocus = node.id === graph.focus;
  const isCause = graph.cause_path?.[0] === node.id;
  const body = svg(
    "g",
    {
      class: "body", role: "button", tabindex: -1, "aria-pressed": "false", "aria-label": sentence(node, graph), "data-testid": "lineage-node",
      "data-id": node.id, "data-state": node.state, "data-kind": node.kind, "data-tone": toneOf(node.state),
    },
    svg("title", {}, `${node.name}${node.owner ? `, ${node.owner}` : ""}`),
    svg("rect", { class: "box", width: at.width, height: at.height, rx: 4 }),
    svg("rect", { class: "edgebar", width: 4, height: at.height }),
    picture("kinds", node.kind, "kind", 14, 9, 16),
    picture("states", node.state, "glyph", at.width - 28, 9, 16),
  );
  // Beside the button, not in it: shortened words must not contradict its name.
  const name = svg("text", { class: "node-name", x: 38, y: 22, "aria-hidden": "true" }, ellipsis(node.name, 20));
  const detail = svg("text", { class: "node-detail", x: 38, y: 42, "aria-hidden": "true" }, ellipsis(node.detail ?? "", 27));
  const group = svg("g", { class: `node${isFocus ? " focus" : ""}${isCause ? " is-cause" : ""}`, "data-node": node.id }, svg("g", { class: "at", transform: `translate(${at.x} ${at.y})` }, body, name, detail));
  for (const [flag, text, x] of [[isFocus, "Focus", 0], [isCause, "Cause", isFocus ? 52 : 0]] as const) {
    if (flag) group.append(svg("text", { class: "tag", x: at.x + x, y: at.y - 7, "aria-hidden": "true" }, text));
  }
  for (const side of ["up", "down"] as const) {
    const control = counter(node, at, side);
    if (control) group.append(control);
  }
  return group;
}

function drawStack(stack: Stack, at: Placed): SVGGElement {
  const bad = stack.problems > 0 ? ` (${stack.problems} not fresh)` : "";
  const text = `+${stack.members.length} more${bad}`;
  return svg(
    "g",
    { class: "node stack", "data-node": stack.id },
    svg(
      "g",
      { class: "at", transform: `translate(${at.x} ${at.y})` },
      svg(
        "g",
        { class: "body", role: "button", tabindex: -1, "data-stack": stack.id, "aria-label": `Show ${text.slice(1)}` },
        svg("rect", { class: "box", width: at.width, height: at.height, rx: 4 }),
        picture("kinds", "stack", "kind", 10, 7, 14),
      ),
      svg("text", { class: "stack-count", x: 32, y: 18, "aria-hidden": "true" }, text),
    ),
  );
}

/** Fills `layer` with the scene. Edges first, so that nodes lie above them. */
export function draw(layer: SVGGElement, graph: Graph, scene: Scene): void {
  const edges = new Map(graph.edges.map((edge) => [`${edge.from}\n${edge.to}`, edge]));
  const path = graph.cause_path ?? [];
  const steps = new Map(path.slice(1).map((id, index) => [`${path[index]}\n${id}`, index + 1]));
  const byId = new Map(scene.shown.map((node) => [node.id, node]));
  const stacks = new Map(scene.stacks.map((stack) => [stack.id, stack]));
  const drawnEdges = scene.layout.routes.map((route) => {
    const key = `${route.from}\n${route.to}`;
    return drawEdge(route, scene, edges.get(key), steps.get(key) ?? 0);
  });
  // In reading order, so that a screen reader walks left to right, top to bottom.
  const placed = [...scene.layout.nodes.values()].sort((a, b) => a.layer - b.layer || a.y - b.y);
  const drawnNodes = placed.map((at) => {
    const node = byId.get(at.id);
    return node ? drawNode(node, graph, at) : drawStack(stacks.get(at.id)!, at);
  });
  layer.replaceChildren(...drawnEdges, ...drawnNodes);
}

/** Dims what is not on a path through `id`; null shows everything at full strength. */
export function emphasise(layer: SVGGElement, graph: Graph, stacks: readonly Stack[], id: string | null, locked: boolean): void {
  const path = id ? pathThrough(graph, id) : null;
  for (const stack of stacks) if (stack.members.some((member) => path?.nodes.has(member))) path?.nodes.add(stack.id);
  const edges = new Map(graph.edges.map((edge) => [`${edge.from}\n${edge.to}`, edge]));
  for (const element of layer.querySelectorAll<SVGGElement>("g.node")) {
    const own = element.dataset["node"]!;
    element.classList.toggle("dim", path !== null && !path.nodes.has(own));
    element.querySelector("[aria-pressed]")?.setAttribute("aria-pressed", String(locked && own === id));
  }
  for (const element of layer.querySelectorAll<SVGGElement>("g.edge")) {
    const edge = edges.get(`${element.dataset["from"]}\n${element.dataset["to"]}`);
    const ends = [element.dataset["from"]!, element.dataset["to"]!];
    // The thread to a stack belongs to whatever of its members is on the path.
    const on = path !== null && (edge ? path.isOn(edge) : ends.every((end) => path.nodes.has(end)));
    element.classList.toggle("dim", path !== null && !on);
    element.classList.toggle("on-path", on);
  }
}
