import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { contrast, distance, parseHex, VISION, type Rgb } from "./colour";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");
const pairs = [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)];
const themes: Record<string, Record<string, Rgb>> = { light: {}, dark: {} };
for (const [, name, light, dark] of pairs) {
  themes["light"]![name!] = parseHex(light!);
  themes["dark"]![name!] = parseHex(dark!);
}
const STATES = ["fresh", "late", "breach", "nodata", "paused"];
const SURFACES = ["bg", "surface", "raised", "sunken"];

describe.each(["light", "dark"])("tokens of the %s theme", (theme) => {
  const token = (name: string): Rgb => {
    const found = themes[theme]![name];
    if (!found) throw new Error(`no token --${name}`);
    return found;
  };

  it.each(["text", "text-2", "text-3"])("%s is readable on every surface", (name) => {
    for (const surface of SURFACES) {
      expect(contrast(token(name), token(surface)), surface).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("links and the words on the primary button are readable", () => {
    for (const surface of SURFACES) expect(contrast(token("accent"), token(surface))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(token("on-accent"), token("accent"))).toBeGreaterThanOrEqual(6);
    expect(contrast(token("on-accent"), token("accent-hover"))).toBeGreaterThanOrEqual(6);
  });

  it("outlines of inputs and nodes stand out", () => {
    for (const surface of ["bg", "surface", "raised"]) {
      expect(contrast(token("border-strong"), token(surface)), surface).toBeGreaterThanOrEqual(3);
    }
  });

  it.each(STATES)("%s: its word is readable on its own tint and on the page", (state) => {
    for (const surface of [`${state}-bg`, "bg", "surface"]) {
      expect(contrast(token(`${state}-text`), token(surface)), surface).toBeGreaterThanOrEqual(4.5);
    }
  });

  it.each(STATES)("%s: its mark stands out on the page and on panels", (state) => {
    for (const surface of ["bg", "surface"]) {
      expect(contrast(token(`${state}-mark`), token(surface)), surface).toBeGreaterThanOrEqual(3);
    }
  });

  it("any two marks stay apart for every kind of colour vision", () => {
    for (const [vision, matrix] of Object.entries(VISION)) {
      STATES.forEach((a, i) => {
        for (const b of STATES.slice(i + 1)) {
          const apart = distance(token(`${a}-mark`), token(`${b}-mark`), matrix);
          expect(apart, `${a} and ${b} with ${vision} vision`).toBeGreaterThanOrEqual(20);
        }
      });
    }
  });
});

it("a naive blue beside a naive purple would fail the same check", () => {
  const [purple, blue] = [parseHex("#7c5cd6"), parseHex("#3f6fe0")];
  expect(distance(purple, blue, VISION["protan"]!)).toBeLessThan(20);
});

it("the figures of the design hold: 23.2 in light, 24.0 in dark", () => {
  for (const [theme, least] of [["light", 23.2], ["dark", 24.0]] as const) {
    const marks = STATES.map((state) => themes[theme]![`${state}-mark`]!);
    const all = Object.values(VISION).flatMap((m) => marks.flatMap((a, i) => marks.slice(i + 1).map((b) => distance(a, b, m))));
    expect(Math.min(...all)).toBeCloseTo(least, 0);
  }
});
