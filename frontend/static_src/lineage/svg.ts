/** Small builders for SVG; attributes and classes only, because the pages' policy allows no inline style. */
import icons from "../../icons.json";

const SPACE = "http://www.w3.org/2000/svg";

export type Attributes = Record<string, string | number>;

export function svg<K extends keyof SVGElementTagNameMap>(name: K, attributes: Attributes = {}, ...children: (Node | string)[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** Shapes from icons.json as a nested picture of 16 units at (x, y). The shapes are ours, not input. */
export function picture(group: "states" | "kinds", name: string, css: string, x: number, y: number, size = 16): SVGSVGElement {
  const shapes: Record<string, string> = icons[group];
  const element = svg("svg", { class: css, x, y, width: size, height: size, viewBox: "0 0 16 16", "aria-hidden": "true" });
  element.innerHTML = shapes[name] ?? icons.states.no_data;
  return element;
}

export function inlineIcon(group: "states" | "kinds", name: string): SVGSVGElement {
  const element = picture(group, name, "icon", 0, 0);
  element.removeAttribute("width");
  element.removeAttribute("height");
  return element;
}

export const TONES: Record<string, string> = {
  fresh: "fresh", late: "late", stale: "breach", missing: "breach", violating: "breach", no_data: "nodata", paused: "paused",
};

export const toneOf = (state: string): string => TONES[state] ?? "nodata";
