/** How long the layout takes: `npx vitest bench`. Budgets: 200 nodes in 50 ms, 1,000 in 300 ms. */
import { bench, describe } from "vitest";
import { layOut } from "./layout";
import { pipeline } from "./story";

describe("layout", () => {
  for (const count of [200, 1000]) {
    const { boxes, links } = pipeline(count, 7);
    bench(`${count} nodes`, () => void layOut(boxes, links));
  }
});
