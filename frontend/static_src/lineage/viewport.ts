/** Pan and zoom of the canvas, by pointer, wheel, keys and buttons. */

export const LEAST = 0.1;
export const MOST = 2;

export interface View {
  x: number;
  y: number;
  scale: number;
}

/** Zooms so that the point (px, py) of the screen stays where it is. */
export function zoomAt(view: View, px: number, py: number, factor: number): View {
  const scale = Math.min(MOST, Math.max(LEAST, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: px - (px - view.x) * by, y: py - (py - view.y) * by };
}

/** Shows the whole of `bounds` in a window, never larger than life. */
export function fit(bounds: { x: number; y: number; width: number; height: number }, width: number, height: number, margin = 32): View {
  const scale = Math.min(1, Math.max(LEAST, Math.min((width - 2 * margin) / (bounds.width || 1), (height - 2 * margin) / (bounds.height || 1))));
  return { scale, x: (width - bounds.width * scale) / 2 - bounds.x * scale, y: (height - bounds.height * scale) / 2 - bounds.y * scale };
}

/** How much is drawn at a scale: everything, names and glyphs, or coloured blocks. */
export function detailAt(scale: number): "full" | "names" | "blocks" {
  if (scale >= 0.7) return "full";
  return scale >= 0.35 ? "names" : "blocks";
}

export class Viewport {
  view: View = { x: 0, y: 0, scale: 1 };
  readonly #canvas: SVGSVGElement;
  readonly #layer: SVGGElement;
  #frame = 0;

  constructor(canvas: SVGSVGElement, layer: SVGGElement) {
    this.#canvas = canvas;
    this.#layer = layer;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      this.set(zoomAt(this.view, event.clientX - box.left, event.clientY - box.top, Math.exp(-event.deltaY * 0.0015)));
    }, { passive: false });
    let from: { x: number; y: number; view: View } | null = null;
    canvas.addEventListener("pointerdown", (event) => {
      if ((event.target as Element).closest("[role=button]")) return;
      from = { x: event.clientX, y: event.clientY, view: this.view };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (from) this.set({ ...from.view, x: from.view.x + event.clientX - from.x, y: from.view.y + event.clientY - from.y });
    });
    const end = (): void => void (from = null);
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
  }

  set(view: View): void {
    this.view = view;
    // One write for each frame, however many events came.
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const { x, y, scale } = this.view;
      this.#layer.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${scale.toFixed(3)})`);
      this.#canvas.dataset["detail"] = detailAt(scale);
    });
  }

  pan(dx: number, dy: number): void {
    this.set({ ...this.view, x: this.view.x + dx, y: this.view.y + dy });
  }

  zoom(factor: number): void {
    this.set(zoomAt(this.view, this.#canvas.clientWidth / 2, this.#canvas.clientHeight / 2, factor));
  }

  actualSize(): void {
    this.zoom(1 / this.view.scale);
  }

  /** Brings a box into the window with the least movement. */
  reveal(box: { x: number; y: number; width: number; height: number }, margin = 48): void {
    const { x, y, scale } = this.view;
    const [w, h] = [this.#canvas.clientWidth, this.#canvas.clientHeight];
    const [x1, y1] = [box.x * scale + x, box.y * scale + y];
    const [x2, y2] = [x1 + box.width * scale, y1 + box.height * scale];
    const dx = x1 < margin ? margin - x1 : x2 > w - margin ? w - margin - x2 : 0;
    const dy = y1 < margin ? margin - y1 : y2 > h - margin ? h - margin - y2 : 0;
    if (dx !== 0 || dy !== 0) this.pan(dx, dy);
  }
}
