import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { grouped, matching, parseRecent, RECENT_LIMIT, remembered, step, type Item } from "./found";
import { keepOrder } from "./order";
import { duration, relative, written } from "./times";

const item = (url: string, section = "Feature views"): Item => ({ section, label: url, detail: "", url });

describe("durations and instants", () => {
  it.each([
    [0, "0 s"], [59, "59 s"], [119, "119 s"], [120, "2 min"], [42 * 60, "42 min"], [7199, "119 min"],
    [7200, "2 h"], [47 * 3600, "47 h"], [48 * 3600, "2 d"],
  ])("%d seconds read as %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  it("past and future read differently", () => {
    expect(relative(0, 240_000)).toBe("4 min ago");
    expect(relative(240_000, 0)).toBe("in 4 min");
    expect(relative(0, 500)).toBe("just now");
  });

  it("a person may choose UTC", () => expect(written(Date.parse("2026-11-22T13:02:59Z"), 0, "utc")).toBe("2026-11-22 13:02 UTC"));
});

describe("rows under the pointer", () => {
  const rows = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 20 });
  it("known rows keep their order, new ones come last, none is lost or made", () => {
    fc.assert(
      fc.property(rows, rows, (current, incoming) => {
        const { rows: result } = keepOrder(current, incoming, (row) => row);
        expect([...result].sort()).toEqual([...incoming].sort());
        const known = result.filter((row) => current.includes(row));
        expect(known).toEqual(current.filter((row) => incoming.includes(row)));
        expect(result.slice(0, known.length)).toEqual(known);
      }),
    );
  });
  it("says how many rows the server would have moved", () => {
    expect(keepOrder(["a", "b", "c"], ["c", "a", "b"], (row) => row)).toEqual({ rows: ["a", "b", "c"], moved: 3 });
    expect(keepOrder(["a", "b"], ["a", "b", "new"], (row) => row).moved).toBe(0);
  });
});

describe("the palette's list", () => {
  it("is grouped by section in order of appearance", () => {
    const items = [item("/1", "A"), item("/2", "B"), item("/3", "A")];
    expect([...grouped(items)].map(([name, members]) => [name, members.length])).toEqual([["A", 2], ["B", 1]]);
  });
  it("walks in a circle", () => {
    expect([step(0, 3, -1), step(2, 3, 1), step(-1, 0, 1), step(0, 1, 1)]).toEqual([2, 0, -1, 0]);
  });
  it("finds pages by all typed words", () => {
    expect(matching([item("Alert channels"), item("Audit")], "al ch").map((i) => i.label)).toEqual(["Alert channels"]);
  });
  it("remembers a few choices, each once, latest first", () => {
    let recent: Item[] = [];
    for (const url of ["/a", "/b", "/a", "/c", "/d", "/e", "/f", "/g"]) recent = remembered(recent, item(url));
    expect(recent.map((i) => i.url)).toEqual(["/g", "/f", "/e", "/d", "/c", "/a"]);
    expect(recent).toHaveLength(RECENT_LIMIT);
  });
  it("does not trust what storage holds", () => {
    expect(parseRecent("{")).toEqual([]);
    expect(parseRecent('{"url":"/x"}')).toEqual([]);
    expect(parseRecent('[{"url":"https://elsewhere","label":"x"},{"url":"/ok","label":"ok"},7]')).toHaveLength(1);
  });
});
