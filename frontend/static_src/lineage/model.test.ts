import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ellipsis, foldSiblings, merge, neighbours, pathThrough, problems, reach, sentence, SIBLINGS_SHOWN, tableRows } from "./model";
import { SEVERITY, type Graph, type GraphEdge, type GraphNode, type State } from "./types";

const node = (id: string, changes: Partial<GraphNode> = {}): GraphNode => ({
  id, kind: "view", name: id, namespace: null, state: "fresh", since: null, detail: null, owner: null,
  up_total: null, up_drawn: null, down_total: null, down_drawn: null, hidden: null, ...changes,
});
const edge = (from: string, to: string): GraphEdge => ({ from, to, kind: "data", state: "ok" });
const graph = (nodes: GraphNode[], edges: GraphEdge[], changes: Partial<Graph> = {}): Graph => ({
  focus: nodes[0]?.id ?? "", nodes, edges, cause_path: [], cause: null, left_out: null, as_of: null, ...changes,
});

const graphs = fc.integer({ min: 1, max: 20 }).chain((count) =>
  fc.tuple(
    fc.array(fc.constantFrom(...SEVERITY), { minLength: count, maxLength: count }),
    fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 40 }),
  ).map(([states, pairs]) => graph(states.map((state: State, i) => node(`n${i}`, { state })), pairs.map(([a, b]) => edge(`n${a}`, `n${b}`)))),
);

describe("merging answers", () => {
  it("is idempotent and never loses a node", () => {
    fc.assert(
      fc.property(graphs, graphs, (a, b) => {
        const once = merge(a, b);
        expect(merge(once, b)).toEqual(once);
        expect(new Set(once.nodes.map((n) => n.id))).toEqual(new Set([...a.nodes, ...b.nodes].map((n) => n.id)));
        for (const e of once.edges) expect(once.nodes.some((n) => n.id === e.from) && once.nodes.some((n) => n.id === e.to)).toBe(true);
      }),
    );
  });
  it("keeps the focus and takes newer facts", () => {
    const held = graph([node("a"), node("b")], [edge("a", "b")]);
    const merged = merge(held, graph([node("b", { state: "stale" }), node("c")], [edge("b", "c")], { focus: "b" }));
    expect(merged.focus).toBe("a");
    expect(merged.nodes.find((n) => n.id === "b")!.state).toBe("stale");
    expect(merged.edges).toHaveLength(2);
  });
});

describe("the table", () => {
  it("has exactly the nodes of the graph, whatever the graph", () => {
    fc.assert(fc.property(graphs, (g) => {
      expect(tableRows(g).map((row) => row.node.id).sort()).toEqual(g.nodes.map((n) => n.id).sort());
    }));
  });
  it("counts upstream negative, downstream positive, and names the neighbour between", () => {
    const rows = tableRows(graph([node("v"), node("j"), node("s"), node("m")], [edge("s", "j"), edge("j", "v"), edge("v", "m")]));
    expect(rows.map((row) => [row.node.id, row.depth, row.via])).toEqual([["s", -2, "j"], ["j", -1, "v"], ["v", 0, ""], ["m", 1, "v"]]);
  });
});

describe("folding siblings", () => {
  const fan = (count: number, bad: number): Graph => {
    const leaves = Array.from({ length: count }, (_, i) => node(`leaf${i}`, { state: i < bad ? "stale" : "fresh" }));
    return graph([node("hub"), ...leaves], leaves.map((leaf) => edge("hub", leaf.id)));
  };
  it("leaves eight and puts the rest into one stack", () => {
    const { hidden, stacks } = foldSiblings(fan(20, 0), new Set(["hub"]), new Map());
    expect(hidden.size).toBe(20 - SIBLINGS_SHOWN);
    expect(stacks).toMatchObject([{ parent: "hub", side: "down", problems: 0 }]);
  });
  it("keeps the bad ones out of the stack", () => {
    const { hidden } = foldSiblings(fan(30, 3), new Set(["hub"]), new Map());
    for (const id of ["leaf0", "leaf1", "leaf2"]) expect(hidden.has(id)).toBe(false);
  });
  it("says how many are bad when even those are too many", () => {
    const { stacks } = foldSiblings(fan(300, 100), new Set(["hub"]), new Map());
    expect(stacks[0]!.problems).toBeGreaterThan(0);
    expect(stacks[0]!.members.length).toBeLessThan(300);
  });
  it("opens by the number asked for", () => {
    const few = foldSiblings(fan(30, 0), new Set(["hub"]), new Map([["stack:down:hub", 8]]));
    expect(few.hidden.size).toBe(30 - SIBLINGS_SHOWN - 8);
  });
  it("never folds what is kept, nor a node with two neighbours", () => {
    fc.assert(fc.property(graphs, (g) => {
      const { up, down } = neighbours(g);
      const { hidden } = foldSiblings(g, new Set(["n0"]), new Map());
      expect(hidden.has("n0")).toBe(false);
      for (const id of hidden) expect(up.get(id)!.length + down.get(id)!.length).toBe(1);
    }));
  });
});

describe("walking", () => {
  const g = graph(["a", "b", "c", "d"].map((id) => node(id)), [edge("a", "b"), edge("b", "c"), edge("d", "c")]);
  it("a path through a node is what feeds it and what it feeds, not its siblings", () => {
    const path = pathThrough(g, "b");
    expect([...path.nodes].sort()).toEqual(["a", "b", "c"]);
    expect(path.isOn(edge("d", "c"))).toBe(false);
  });
  it("a cycle ends", () => {
    const loop = graph([node("a"), node("b")], [edge("a", "b"), edge("b", "a")]);
    expect([...reach("a", neighbours(loop).down)]).toEqual([["a", 0], ["b", 1]]);
  });
  it("problems come worst first, then most upstream", () => {
    const bad = graph([node("v", { state: "stale" }), node("s", { state: "missing" }), node("l", { state: "late" }), node("ok")], [edge("s", "v"), edge("v", "l")]);
    expect(problems(bad).map((n) => n.id)).toEqual(["s", "v", "l"]);
  });
});

describe("words", () => {
  it("a node is told with state, neighbours and its step of the cause", () => {
    const g = graph([node("v", { state: "stale", detail: "42 min" }), node("s")], [edge("s", "v")], { cause_path: ["s", "v"] });
    expect(sentence(g.nodes[0]!, g)).toBe("v, feature view, stale 42 min, 1 upstream, 0 downstream, step 2 of 2 of the cause, focus");
  });
  it("an unknown state is told as no data", () => {
    expect(sentence(node("x", { state: "sparkling" as State }), graph([node("x")], []))).toContain("no data");
  });
  it.each([["short", 10, "short"], ["a_very_long_feature_view_name", 11, "a_ver…_name"]])("%s in %d", (text, most, out) => {
    expect(ellipsis(text, most)).toBe(out);
    expect(out.length).toBeLessThanOrEqual(most);
  });
});
