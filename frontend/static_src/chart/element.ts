/** `<fl-chart>` holds a figure as JSON; plotly is fetched only when the chart comes into view. */
import { withColours, type Json } from "./figure";

interface Figure {
  data: Json;
  layout: { [key: string]: Json };
}

/** Tells plotly that its rules are in our style sheet: the policy of the pages forbids style elements. */
function forbidStyleElement(): void {
  const id = "plotly.js-style-global";
  if (document.getElementById(id)) return;
  const sign = document.createElement("meta");
  sign.id = id;
  sign.className = "no-inline-styles";
  document.head.append(sign);
}

export class Chart extends HTMLElement {
  #seen: IntersectionObserver | null = null;
  #theme: MutationObserver | null = null;

  connectedCallback(): void {
    this.#seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.#seen?.disconnect();
      void this.#draw();
    }, { rootMargin: "200px" });
    this.#seen.observe(this);
    this.#theme = new MutationObserver(() => void this.#draw());
    this.#theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#redraw);
  }

  disconnectedCallback(): void {
    this.#seen?.disconnect();
    this.#theme?.disconnect();
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.#redraw);
  }

  #redraw = (): void => void this.#draw();

  async #draw(): Promise<void> {
    const source = this.querySelector("script[type='application/json']");
    const place = this.querySelector<HTMLElement>(".chart-place");
    if (!source || !place) return;
    forbidStyleElement();
    const { default: Plotly } = await import("plotly.js-basic-dist-min");
    const figure = JSON.parse(source.textContent ?? "{}") as Figure;
    const probe = document.createElement("i");
    this.append(probe);
    const resolve = (token: string): string => {
      probe.style.color = `var(${token})`;
      return getComputedStyle(probe).color;
    };
    const { data, layout } = withColours(figure as unknown as Json, resolve) as unknown as Figure;
    probe.remove();
    layout["font"] = { ...(layout["font"] as object), family: getComputedStyle(this).fontFamily };
    await Plotly.react(place, data, layout, { displayModeBar: false, responsive: true });
    const drawing = place.querySelector("svg");
    drawing?.setAttribute("role", "img");
    drawing?.setAttribute("aria-label", this.getAttribute("label") ?? "Chart");
    this.dataset["drawn"] = "";
  }
}
