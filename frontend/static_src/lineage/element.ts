/**
 * `<fl-lineage src focus mode base project>`: the explorer. The server computes states, causes and
 * counts; this draws them, walks them, and keeps what is seen in the address.
 */
import { compose, draw, emphasise, type Scene } from "./draw";
import { walk } from "./keys";
import { EXPAND_BY, merge, sentence } from "./model";
import { causeChain, details, html, nodeTable, problemList } from "./panels";
import { svg } from "./svg";
import type { Graph } from "./types";
import { fit, Viewport, zoomAt } from "./viewport";

const READABLE = 0.7;
const NARROW = "(max-width: 767px)";

interface Seen {
  focus: string;
  selected: string | null;
  trace: boolean;
  mode: "graph" | "table";
}

export class Lineage extends HTMLElement {
  #graph: Graph | null = null;
  #scene: Scene | null = null;
  #open = new Map<string, number>();
  #seen!: Seen;
  #active = "";
  #sort: { column: number; down: boolean } | null = null;
  #viewport!: Viewport;
  #layer!: SVGGElement;
  #canvas!: SVGSVGElement;
  #panels!: Record<"stage" | "drawer" | "problems" | "table" | "status" | "note", HTMLElement>;

  connectedCallback(): void {
    this.#seen = this.#fromAddress();
    window.addEventListener("popstate", this.#onPop);
    void this.#load();
  }

  disconnectedCallback(): void {
    window.removeEventListener("popstate", this.#onPop);
  }

  #onPop = (): void => {
    const before = this.#seen;
    this.#seen = this.#fromAddress();
    if (before.focus !== this.#seen.focus || before.trace !== this.#seen.trace) void this.#load();
    else this.#show();
  };

  #fromAddress(): Seen {
    const query = new URLSearchParams(location.search);
    const asked = query.get("view") ?? this.getAttribute("mode");
    return {
      focus: query.get("focus") ?? this.getAttribute("focus") ?? "",
      selected: query.get("sel"),
      trace: query.get("trace") === "cause",
      mode: query.get("view") === null && matchMedia(NARROW).matches ? "table" : asked === "table" ? "table" : "graph",
    };
  }

  #remember(changes: Partial<Seen>, replace = false): void {
    this.#seen = { ...this.#seen, ...changes };
    const query = new URLSearchParams({ focus: this.#seen.focus, view: this.#seen.mode });
    if (this.#seen.selected) query.set("sel", this.#seen.selected);
    if (this.#seen.trace) query.set("trace", "cause");
    history[replace ? "replaceState" : "pushState"](null, "", `${this.getAttribute("base")}?${query}`);
  }

  async #ask(parameters: Record<string, string>): Promise<Graph> {
    const response = await fetch(`${this.getAttribute("src")}?${new URLSearchParams(parameters)}`, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`the server answered ${response.status}, request ${response.headers.get("X-Request-Id") ?? "unknown"}`);
    return (await response.json()) as Graph;
  }

  async #load(): Promise<void> {
    try {
      const { focus, trace } = this.#seen;
      const graph = await this.#ask({ node: focus, up: "1", down: "1", ...(trace ? { trace: "cause" } : {}) });
      this.#graph = graph;
      this.#open.clear();
      this.#scene = null;
      if (!this.#panels) this.#build();
      this.#active = graph.focus;
      this.#render();
      this.#fit(true);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  /** The server's table stays: the reader loses the picture, not the facts. */
  #fail(error: Error): void {
    const note = html("div", { class: "note failure", "data-tone": "breach", role: "alert" }, html("p", {}, html("strong", {}, "The graph could not be loaded")), html("p", {}, error.message));
    const retry = html("button", { type: "button", class: "button small" }, "Retry");
    retry.addEventListener("click", () => {
      note.remove();
      void this.#load();
    });
    note.append(retry);
    this.querySelector(".note.failure")?.remove();
    this.prepend(note);
  }

  #build(): void {
    this.#layer = svg("g", { class: "layer" });
    this.#canvas = svg("svg", { class: "lineage-canvas", role: "graphics-document", "aria-roledescription": "lineage graph", "aria-label": "Lineage graph. Arrow keys walk, Enter selects, U traces the cause." }, this.#layer);
    const stage = html("div", { class: "lineage-stage" }, this.#canvas, this.#zoomButtons());
    const drawer = html("aside", { class: "lineage-drawer panel", "aria-label": "Selected node" });
    const listed = html("section", { class: "panel", "aria-label": "Problems" });
    const table = html("section", { class: "panel", "aria-label": "All nodes" });
    const status = html("div", { class: "visually-hidden", "aria-live": "polite" });
    const note = html("span", { class: "meta", role: "status" });
    this.#panels = { stage, drawer, problems: listed, table, status, note };
    this.#viewport = new Viewport(this.#canvas, this.#layer);
    this.replaceChildren(this.#toolbar(note), html("div", { class: "lineage-body" }, stage, drawer), listed, table, status);
    this.addEventListener("click", (event) => this.#onClick(event));
    this.addEventListener("keydown", (event) => this.#onKey(event));
    this.#layer.addEventListener("pointerover", (event) => this.#preview(event.target as Element));
    this.#layer.addEventListener("pointerleave", () => this.#emphasise());
    this.#layer.addEventListener("dblclick", (event) => {
      const node = (event.target as Element).closest<SVGElement>("[data-id]");
      if (node) this.#refocus(node.dataset["id"]!);
    });
  }

  #toolbar(note: HTMLElement): HTMLElement {
    const button = (action: string, text: string): HTMLElement => html("button", { type: "button", class: "button small", "data-action": action }, text);
    return html("div", { class: "lineage-bar" }, button("graph", "Graph"), button("table", "Table"), button("trace", "Trace cause"), button("impact", "Trace impact"), button("exit", "Exit path (Esc)"), note, legend());
  }

  #zoomButtons(): HTMLElement {
    const parts = [["in", "+", "Zoom in"], ["out", "−", "Zoom out"], ["fit", "Fit", "Fit to window"], ["one", "1:1", "Actual size"]] as const;
    return html("div", { class: "zoom", role: "group", "aria-label": "Zoom" }, ...parts.map(([action, text, title]) => html("button", { type: "button", class: "button small", "data-action": action, title, ...(text === "Fit" || text === "1:1" ? {} : { "aria-label": title }) }, text)));
  }

  #render(): void {
    const graph = this.#graph!;
    this.#scene = compose(graph, this.#open, this.#scene?.layout);
    draw(this.#layer, graph, this.#scene);
    this.#show();
  }

  /** Everything that follows from the selection and the mode; cheap, no layout. */
  #show(): void {
    const graph = this.#graph!;
    const { stage, drawer, problems, table, note } = this.#panels;
    const { mode, trace } = this.#seen;
    this.dataset["mode"] = mode;
    const selected = graph.nodes.find((node) => node.id === this.#seen.selected);
    stage.hidden = mode === "table";
    drawer.hidden = mode === "table" || !(selected || trace);
    problems.hidden = mode === "table";
    table.hidden = mode === "graph";
    if (selected) drawer.replaceChildren(details(selected, graph, this.getAttribute("project") ?? "", this.getAttribute("base") ?? ""));
    else if (trace) drawer.replaceChildren(html("div", { class: "body" }, causeChain(graph) ?? html("p", {}, "No cause found: nothing upstream of the focus failed, stopped or came late.")));
    if (mode === "table") table.replaceChildren(nodeTable(graph, this.getAttribute("base") ?? "", this.#sort));
    else problems.replaceChildren(html("header", {}, html("h2", {}, "Problems")), problemList(graph));
    note.textContent = this.#counts(graph);
    for (const button of this.querySelectorAll<HTMLElement>(".lineage-bar [data-action]")) {
      const action = button.dataset["action"]!;
      if (action === mode || action === "table" || action === "graph") button.setAttribute("aria-pressed", String(action === mode));
      if (action === "trace") button.setAttribute("aria-pressed", String(trace));
      if (action === "exit") button.hidden = !this.#seen.selected;
      if (action === "impact") button.hidden = mode === "table";
    }
    this.#rove();
    this.#emphasise();
  }

  #counts(graph: Graph): string {
    const left = graph.left_out?.count ? ` ${graph.left_out.count} left out: ${graph.left_out.reason}.` : "";
    return `${graph.nodes.length} nodes.${left}`;
  }

  #rove(): void {
    const all = [...this.#layer.querySelectorAll<SVGElement>(".body")];
    if (!this.#scene?.layout.nodes.has(this.#active)) this.#active = this.#graph!.focus;
    for (const body of all) body.setAttribute("tabindex", (body.dataset["id"] ?? body.dataset["stack"]) === this.#active ? "0" : "-1");
  }

  #emphasise(): void {
    emphasise(this.#layer, this.#graph!, this.#scene!.stacks, this.#seen.selected, this.#seen.selected !== null);
  }

  #preview(target: Element): void {
    if (this.#seen.selected) return;
    const node = target.closest<SVGElement>("[data-id]");
    emphasise(this.#layer, this.#graph!, this.#scene!.stacks, node?.dataset["id"] ?? null, false);
  }

  #select(id: string | null, centre = false): void {
    this.#remember({ selected: id });
    if (id) this.#active = id;
    this.#show();
    const box = id && this.#scene?.layout.nodes.get(id);
    if (box && centre) this.#viewport.reveal(box);
  }

  #refocus(id: string): void {
    this.#remember({ focus: id, selected: null, trace: false });
    void this.#load();
  }

  async #expand(id: string, side: "up" | "down"): Promise<void> {
    try {
      const answer = await this.#ask({ node: id, up: side === "up" ? "1" : "0", down: side === "down" ? "1" : "0", limit: String(EXPAND_BY + this.#graph!.nodes.length) });
      const before = this.#graph!.nodes.length;
      this.#graph = merge(this.#graph!, answer);
      this.#render();
      this.#say(`${this.#graph.nodes.length - before} nodes added.`);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  async #trace(): Promise<void> {
    this.#remember({ trace: !this.#seen.trace, selected: null });
    if (!this.#seen.trace) {
      this.#show();
      return;
    }
    try {
      const answer = await this.#ask({ node: this.#graph!.focus, up: "1", down: "1", trace: "cause" });
      this.#graph = merge(this.#graph!, answer);
      this.#render();
      this.#fit();
      const path = this.#graph.cause_path ?? [];
      this.#say(path.length > 0 ? `Cause found, ${path.length} steps: ${this.#nameOf(path[0]!)}.` : "No cause found.");
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #nameOf(id: string): string {
    return this.#graph!.nodes.find((node) => node.id === id)?.name ?? id;
  }

  #say(text: string): void {
    this.#panels.status.textContent = text;
  }

  #fit(first = false): void {
    const boxes = [...this.#scene!.layout.nodes.values()];
    const [x, y] = [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
    const { clientWidth, clientHeight } = this.#canvas;
    if (clientWidth === 0) return;
    const whole = fit({ x, y, width: this.#scene!.layout.width, height: this.#scene!.layout.height }, clientWidth, clientHeight);
    const focus = this.#scene!.layout.nodes.get(this.#graph!.focus);
    // Where the whole would be too small to read, the neighbourhood of the focus is shown instead.
    const readable = !first || whole.scale >= READABLE || !focus ? whole : fit(focus, clientWidth, clientHeight);
    this.#viewport.set(readable === whole ? whole : zoomAt(readable, clientWidth / 2, clientHeight / 2, READABLE));
  }

  #act(action: string): void {
    const actions: Record<string, () => void> = {
      in: () => this.#viewport.zoom(1.25),
      out: () => this.#viewport.zoom(0.8),
      fit: () => this.#fit(),
      one: () => this.#viewport.actualSize(),
      trace: () => void this.#trace(),
      impact: () => this.#select(this.#seen.selected ?? this.#graph!.focus),
      exit: () => this.#select(null),
      graph: () => this.#mode("graph"),
      table: () => this.#mode("table"),
    };
    actions[action]?.();
  }

  #mode(mode: Seen["mode"]): void {
    this.#remember({ mode });
    this.#show();
    if (mode === "graph") this.#fit();
  }

  #onClick(event: Event): void {
    const target = event.target as Element;
    const own = <T extends Element>(selector: string): T | null => target.closest<T>(selector);
    const data = (element: Element | null, name: string): string | undefined => (element as HTMLElement | SVGElement | null)?.dataset[name];
    const action = data(own("[data-action]"), "action");
    const expand = own("[data-expand]");
    const sort = data(own("[data-sort]"), "sort");
    if (action) this.#act(action);
    else if (expand) void this.#expand(data(expand, "of")!, data(expand, "expand") as "up" | "down");
    else if (own("[data-stack]")) this.#unfold(data(own("[data-stack]"), "stack")!);
    else if (own("[data-refocus]")) {
      event.preventDefault();
      this.#refocus(data(own("[data-refocus]"), "refocus")!);
    } else if (own("[data-select]")) this.#select(data(own("[data-select]"), "select")!, true);
    else if (own("[data-id][role=button]")) this.#select(data(own("[data-id]"), "id")!);
    else if (sort !== undefined) {
      this.#sort = { column: Number(sort), down: this.#sort?.column === Number(sort) && !this.#sort.down };
      this.#show();
    }
  }

  #unfold(stack: string): void {
    this.#open.set(stack, (this.#open.get(stack) ?? 0) + EXPAND_BY);
    this.#render();
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.#seen.selected) {
      this.#select(null);
      return;
    }
    const target = event.target as SVGElement;
    if (!this.#layer.contains(target) || event.altKey || event.metaKey) return;
    const id = target.dataset["id"] ?? target.dataset["stack"] ?? target.dataset["of"] ?? "";
    if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      if (event.ctrlKey) this.#viewport.pan(...({ ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key] as [number, number]));
      else this.#focusNode(walk(this.#scene!.layout, id, event.key));
      return;
    }
    const keys: Record<string, () => void> = {
      Enter: () => target.dispatchEvent(new MouseEvent("click", { bubbles: true })),
      " ": () => target.dispatchEvent(new MouseEvent("click", { bubbles: true })),
      "+": () => this.#act("in"),
      "-": () => this.#act("out"),
      "0": () => this.#act("fit"),
      "1": () => this.#act("one"),
      u: () => this.#act("trace"),
      d: () => this.#select(id),
      f: () => this.#refocus(id),
      e: () => this.#expandBoth(id),
    };
    if (event.ctrlKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]!();
  }

  #expandBoth(id: string): void {
    for (const side of ["up", "down"] as const) {
      if (this.#layer.querySelector(`[data-expand="${side}"][data-of="${CSS.escape(id)}"]`)) void this.#expand(id, side);
    }
  }

  #focusNode(id: string | null): void {
    if (!id) return;
    this.#active = id;
    this.#rove();
    this.#layer.querySelector<SVGElement>('.body[tabindex="0"]')?.focus();
    const box = this.#scene!.layout.nodes.get(id);
    if (box) this.#viewport.reveal(box);
    const node = this.#graph!.nodes.find((each) => each.id === id);
    if (node) this.#say(sentence(node, this.#graph!));
  }
}

function legend(): HTMLElement {
  const words = [["Solid line", "data flows"], ["Dotted line", "control only"], ["Broken line", "no data within the limit"], ["2/5", "neighbours drawn of existing; press to draw more"], ["Thick numbered line", "from the cause to the focus"]];
  const list = html("dl", { class: "facts" });
  for (const [sign, meaning] of words) list.append(html("dt", {}, sign!), html("dd", {}, meaning!));
  return html("details", { class: "menu right legend", "data-menu": "" }, html("summary", { class: "button small" }, "Legend"), html("div", { class: "sheet" }, list));
}
