import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { align, folded } from "./lines";

const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 15 });

describe("line by line", () => {
  it("each side read alone is the text it came from", () => {
    fc.assert(
      fc.property(lines, lines, (older, newer) => {
        const pairs = align(older, newer);
        expect(pairs.map((p) => p.older).filter((l) => l !== null)).toEqual(older);
        expect(pairs.map((p) => p.newer).filter((l) => l !== null)).toEqual(newer);
        for (const { older: a, newer: b } of pairs) expect(a === null || b === null || a === b).toBe(true);
      }),
    );
  });
  it("equal texts have no change", () => {
    fc.assert(fc.property(lines, (text) => { expect(align(text, text).every((p) => p.older === p.newer)).toBe(true); }));
  });
  it("one changed line is one removal and one addition", () => {
    expect(align(["a", "x", "c"], ["a", "y", "c"])).toEqual([
      { older: "a", newer: "a" }, { older: "x", newer: null }, { older: null, newer: "y" }, { older: "c", newer: "c" },
    ]);
  });
  it("folds what is far from a change and counts it", () => {
    const text = Array.from({ length: 20 }, (_, i) => `line ${i}`);
    const changed = text.map((line, i) => (i === 10 ? "other" : line));
    const result = folded(align(text, changed));
    expect(result[0]).toEqual({ skipped: 8 });
    expect(result[result.length - 1]).toEqual({ skipped: 7 });
    expect(result).toHaveLength(8);
  });
});
