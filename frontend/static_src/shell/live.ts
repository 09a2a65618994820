/**
 * Live pages: elements with `data-live` are asked for again every few seconds and morphed in place.
 * Polling stops while the page is hidden or paused; two failures in a row show the bar that says so.
 */
import { keepOrder } from "./order";
import { duration } from "./times";

const EVERY_SECONDS = 10;
const SPOKEN_AT_MOST_EVERY = 5_000;

interface SwapTask {
  fragment?: DocumentFragment | Element;
}

export function installLive(root: Document): void {
  const state = { paused: false, failures: 0, updatedAt: Date.now(), spokenAt: 0 };
  const polled = (): HTMLElement[] => [...root.querySelectorAll<HTMLElement>("[data-live]")];
  const pause = root.querySelector<HTMLButtonElement>("[data-pause]");
  const bar = root.querySelector<HTMLElement>("[data-stopped]");
  const due = new WeakMap<HTMLElement, number>();

  const poll = (now: number, force = false): void => {
    if (root.hidden || (state.paused && !force)) return;
    for (const element of polled()) {
      const every = Number(element.dataset["every"] ?? EVERY_SECONDS) * 1000;
      if (!due.has(element)) due.set(element, now + every);
      if (!force && now < due.get(element)!) continue;
      // Whoever is choosing in an open menu or typing must not lose it to a refresh.
      if (!force && isBusy(element)) continue;
      due.set(element, now + every);
      element.dispatchEvent(new CustomEvent("fl:poll"));
    }
  };

  const show = (now: number): void => {
    const ago = root.querySelector("[data-updated-ago]");
    if (ago) ago.textContent = state.paused ? "paused" : `${duration((now - state.updatedAt) / 1000)} ago`;
    if (!bar) return;
    bar.hidden = state.failures < 2;
    const since = bar.querySelector("[data-stopped-for]");
    if (since) since.textContent = duration((now - state.updatedAt) / 1000);
  };

  if (polled().length > 0) {
    if (pause) {
      pause.hidden = false;
      pause.addEventListener("click", () => {
        state.paused = !state.paused;
        pause.setAttribute("aria-pressed", String(state.paused));
        if (!state.paused) poll(Date.now(), true);
        show(Date.now());
      });
    }
    bar?.querySelector("[data-retry]")?.addEventListener("click", () => poll(Date.now(), true));
    setInterval(() => {
      poll(Date.now());
      show(Date.now());
    }, 1000);
    root.addEventListener("visibilitychange", () => poll(Date.now(), true));
  }

  listen(root, state, () => show(Date.now()));
}

interface State {
  paused: boolean;
  failures: number;
  updatedAt: number;
  spokenAt: number;
}

/** Takes note of every answer, and readies what came before it is swapped in. */
function listen(root: Document, state: State, show: () => void): void {
  root.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = (event as CustomEvent<{ ctx: { response?: { status: number }; sourceElement: Element } }>).detail;
    if (!ctx.sourceElement.matches("[data-live]")) return;
    const ok = ctx.response !== undefined && ctx.response.status < 400;
    state.failures = ok ? 0 : state.failures + 1;
    if (ok) state.updatedAt = Date.now();
    show();
  });

  root.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = (event as CustomEvent<{ ctx: { sourceElement: Element }; tasks: SwapTask[] }>).detail;
    if (!ctx.sourceElement.matches("[data-live]")) return;
    for (const task of tasks) if (task.fragment) holdRows(ctx.sourceElement, task.fragment);
    announceHeading(root, tasks, state);
  });
}

function isBusy(element: HTMLElement): boolean {
  const active = element.ownerDocument.activeElement;
  if (element.querySelector("details.menu[open]")) return true;
  return active !== null && element.contains(active) && active.matches("input, textarea, select");
}

/** Reorders the rows of incoming tables to what the reader sees now, and offers to sort again. */
function holdRows(current: Element, incoming: DocumentFragment | Element): void {
  const keyOf = (row: HTMLElement): string => row.dataset["key"] ?? "";
  const tables = [...current.querySelectorAll("table[data-keep-order]")];
  incoming.querySelectorAll("table[data-keep-order]").forEach((table, index) => {
    const before = tables[index];
    if (!before) return;
    const bodies = [...table.querySelectorAll("tbody")];
    const old = [...before.querySelectorAll("tbody")];
    // Grouped tables keep the order of their groups as the server gives it.
    if (bodies.length !== 1 || old.length !== 1) return;
    const keys = [...old[0]!.rows].map(keyOf);
    const { rows, moved } = keepOrder(keys, [...bodies[0]!.rows], keyOf);
    bodies[0]!.append(...rows);
    if (moved > 0) table.before(resortPill(moved));
  });
}

function resortPill(moved: number): HTMLElement {
  const link = document.createElement("a");
  link.className = "resort chip";
  link.href = location.href;
  link.textContent = `${moved} ${moved === 1 ? "row" : "rows"} changed order – sort again`;
  return link;
}

/** The page's verdict stands outside the morphed part: write it anew and say it once. */
function announceHeading(root: Document, tasks: SwapTask[], state: { spokenAt: number }): void {
  const heading = root.getElementById("verdict");
  const next = tasks.map((task) => task.fragment?.querySelector<HTMLElement>("[data-heading]")?.dataset["heading"]).find(Boolean);
  if (!heading || !next || heading.textContent === next) return;
  heading.textContent = next;
  const region = root.querySelector("[data-live-region]");
  if (region && Date.now() - state.spokenAt >= SPOKEN_AT_MOST_EVERY) {
    state.spokenAt = Date.now();
    region.textContent = next;
  }
}
