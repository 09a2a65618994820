import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crossings } from "./order";
import { layOut, NODE_GAP, type Box, type Layout, type Link } from "./layout";
import { isotonic } from "./place";
import { box } from "./story";

/** Graphs as they come: mostly forward edges, some duplicates, some cycles, lone nodes too. */
const graphs = fc.integer({ min: 1, max: 60 }).chain((count) =>
  fc.record({
    boxes: fc.constant(Array.from({ length: count }, (_, i) => box(`n${String(i).padStart(3, "0")}`))),
    links: fc.array(
      fc.tuple(fc.nat(count - 1), fc.nat(count - 1)).map(([a, b]) => ({
        from: `n${String(a).padStart(3, "0")}`,
        to: `n${String(b).padStart(3, "0")}`,
      })),
      { maxLength: 90 },
    ),
  }),
);

function overlapping(layout: Layout): [string, string] | null {
  const all = [...layout.nodes.values()];
  for (let i = 0; i < all.length; i++) {
    for (let k = i + 1; k < all.length; k++) {
      const [a, b] = [all[i]!, all[k]!];
      const apartX = a.x + a.width <= b.x || b.x + b.width <= a.x;
      const apartY = a.y + a.height + NODE_GAP <= b.y + 1e-6 || b.y + b.height + NODE_GAP <= a.y + 1e-6;
      if (!apartX && !apartY) return [a.id, b.id];
    }
  }
  return null;
}

function layeredGraph(count: number, seed: number): { boxes: Box[]; links: Link[] } {
  let state = seed;
  const random = (n: number): number => ((state = (state * 1103515245 + 12345) & 0x7fffffff) >> 8) % n;
  const boxes = Array.from({ length: count }, (_, i) => box(`n${i}`));
  const links: Link[] = [];
  for (let i = 1; i < count; i++) {
    for (let k = 0; k <= random(3); k++) links.push({ from: `n${random(i)}`, to: `n${i}` });
  }
  return { boxes, links };
}

describe("the layout", () => {
  it("never lets two nodes overlap", () => {
    fc.assert(fc.property(graphs, ({ boxes, links }) => { expect(overlapping(layOut(boxes, links))).toBeNull(); }));
  });

  it("draws every edge left to right, except those that close a cycle", () => {
    fc.assert(
      fc.property(graphs, ({ boxes, links }) => {
        const layout = layOut(boxes, links);
        for (const route of layout.routes) {
          const [from, to] = [layout.nodes.get(route.from)!, layout.nodes.get(route.to)!];
          if (!route.back) expect(from.x + from.width).toBeLessThan(to.x);
        }
      }),
    );
  });

  it("calls an edge a return arc only where there is a cycle", () => {
    const chain = ["a", "b", "c"].map(box);
    const links = [{ from: "a", to: "b" }, { from: "b", to: "c" }];
    expect(layOut(chain, links).routes.every((route) => !route.back)).toBe(true);
    expect(layOut(chain, [...links, { from: "c", to: "a" }]).routes.filter((route) => route.back)).toHaveLength(1);
  });

  it("does not depend on the order in which nodes and edges arrive", () => {
    fc.assert(
      fc.property(graphs, fc.integer(), ({ boxes, links }, seed) => {
        const shuffle = <T>(items: T[]): T[] => [...items].map((item, i) => ({ item, key: Math.sin(seed + i) })).sort((a, b) => a.key - b.key).map((e) => e.item);
        const [one, two] = [layOut(boxes, links), layOut(shuffle(boxes), shuffle(links))];
        for (const [id, placed] of one.nodes) expect(two.nodes.get(id)).toEqual(placed);
      }),
    );
  });

  it("moves old nodes by at most 40 px at the median when one node is added, and still nothing overlaps", () => {
    fc.assert(
      fc.property(graphs, fc.nat(59), fc.boolean(), fc.constantFrom("a", "n017x", "z"), ({ boxes, links }, at, upstream, fresh) => {
        const before = layOut(boxes, links);
        const old = boxes[at % boxes.length]!.id;
        const link = upstream ? { from: fresh, to: old } : { from: old, to: fresh };
        const after = layOut([...boxes, box(fresh)], [...links, link], before);
        expect(overlapping(after)).toBeNull();
        const moves = boxes.map(({ id }) => {
          const [a, b] = [before.nodes.get(id)!, after.nodes.get(id)!];
          return Math.hypot(a.x - b.x, a.y - b.y);
        });
        moves.sort((a, b) => a - b);
        expect(moves[moves.length >> 1]).toBeLessThanOrEqual(40);
      }),
    );
  });

  it("leaves everything where it was when nothing changed", () => {
    fc.assert(
      fc.property(graphs, ({ boxes, links }) => {
        const before = layOut(boxes, links);
        const after = layOut(boxes, links, before);
        for (const [id, old] of before.nodes) {
          expect(after.nodes.get(id)!.x).toBeCloseTo(old.x, 3);
          expect(Math.abs(after.nodes.get(id)!.y - old.y)).toBeLessThan(1);
        }
      }),
    );
  });

  it("keeps threads of long edges out of the nodes they pass", () => {
    const { boxes, links } = layeredGraph(80, 3);
    const layout = layOut(boxes, links);
    for (const route of layout.routes) {
      for (const { x, y } of route.via) {
        for (const node of layout.nodes.values()) {
          if (node.x !== x) continue;
          expect(y < node.y - 8 || y > node.y + node.height + 8, `${route.from}>${route.to} through ${node.id}`).toBe(true);
        }
      }
    }
  });

  it("puts models into one column at the right, sources next to what they feed", () => {
    const boxes = [...["s1", "s2", "v1", "v2", "v3"].map(box), { ...box("m1"), last: true }, { ...box("m2"), last: true }];
    const links = [
      { from: "s1", to: "v1" }, { from: "v1", to: "v2" }, { from: "s2", to: "v3" }, { from: "v2", to: "v3" },
      { from: "v1", to: "m1" }, { from: "v3", to: "m2" },
    ];
    const { nodes } = layOut(boxes, links);
    expect(nodes.get("m1")!.x).toBe(nodes.get("m2")!.x);
    expect(nodes.get("s2")!.layer).toBe(nodes.get("v3")!.layer - 1);
  });

  it("an empty graph is an empty picture", () => expect(layOut([], [])).toMatchObject({ width: 0, height: 0, routes: [] }));
});

describe("isotonic placement", () => {
  const items = fc.array(fc.tuple(fc.double({ min: -1000, max: 1000, noNaN: true }), fc.double({ min: 0.1, max: 50, noNaN: true })), { minLength: 1, maxLength: 30 });
  it("keeps the gaps", () => {
    fc.assert(
      fc.property(items, (rows) => {
        const gap = rows.map((_, i) => (i === 0 ? 0 : 20));
        const at = isotonic(rows.map((r) => r[0]), rows.map((r) => r[1]), gap);
        for (let i = 1; i < at.length; i++) expect(at[i]! - at[i - 1]!).toBeGreaterThanOrEqual(20 - 1e-6);
      }),
    );
  });
  it("leaves alone what already fits", () => {
    expect(isotonic([0, 100, 250], [1, 1, 1], [0, 80, 80])).toEqual([0, 100, 250]);
  });
});

describe("crossings", () => {
  it("agree with counting every pair", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(7), fc.integer({ min: 8, max: 15 })), { maxLength: 40 }), (pairs) => {
        const unique = [...new Map(pairs.map((p) => [p.join(), p])).values()];
        const down: number[][] = Array.from({ length: 16 }, () => []);
        for (const [a, b] of unique) down[a]!.push(b);
        const [upper, lower] = [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 14, 15]];
        let slow = 0;
        for (const [a, b] of unique) for (const [c, d] of unique) if (a < c && b > d) slow++;
        expect(crossings(upper, lower, down)).toBe(slow);
      }),
    );
  });
});
