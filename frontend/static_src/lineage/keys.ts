/** Walking the graph with the arrows: to the nearest neighbour upstream or downstream, to a sibling of the layer. */
import type { Layout, Placed } from "./layout/layout";

const centre = (box: Placed): number => box.y + box.height / 2;

const nearest = (from: Placed, among: Placed[]): Placed | undefined =>
  [...among].sort((a, b) => Math.abs(centre(a) - centre(from)) - Math.abs(centre(b) - centre(from)) || (a.id < b.id ? -1 : 1))[0];

/** Returns where an arrow leads from `id`, or null at the edge of the picture. */
export function walk(layout: Layout, id: string, key: string): string | null {
  const from = layout.nodes.get(id);
  if (!from) return null;
  const others = (side: "from" | "to"): Placed[] =>
    layout.routes.filter((route) => route[side === "from" ? "to" : "from"] === id).map((route) => layout.nodes.get(route[side])!);
  if (key === "ArrowLeft") return nearest(from, others("from"))?.id ?? null;
  if (key === "ArrowRight") return nearest(from, others("to"))?.id ?? null;
  const layer = [...layout.nodes.values()].filter((box) => box.layer === from.layer).sort((a, b) => a.y - b.y);
  const at = layer.findIndex((box) => box.id === id) + (key === "ArrowDown" ? 1 : -1);
  return layer[at]?.id ?? null;
}
