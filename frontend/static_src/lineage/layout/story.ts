/** Graphs for tests and benchmarks. */
import type { Box, Link } from "./layout";

export const box = (id: string): Box => ({ id, width: 220, height: 56 });

/** Eight stages, each node fed by one to three of the stages just before: what real pipelines look like. */
export function pipeline(count: number, seed: number): { boxes: Box[]; links: Link[] } {
  let state = seed;
  const random = (n: number): number => ((state = (state * 1103515245 + 12345) & 0x7fffffff) >> 8) % n;
  const boxes = Array.from({ length: count }, (_, i) => box(`n${i}`));
  const stage = Math.ceil(count / 8);
  const links = boxes.flatMap((_, i) => {
    const own = Math.floor(i / stage);
    if (own === 0) return [];
    return Array.from({ length: 1 + random(3) }, () => ({ from: `n${Math.max(0, own - 1 - random(2)) * stage + random(stage)}`, to: `n${i}` }));
  });
  return { boxes, links };
}
