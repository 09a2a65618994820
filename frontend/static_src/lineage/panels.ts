/** What stands around the canvas: details of the selected node, the list of problems, the table of everything. */
import { duration } from "../shell/times";
import { problems, stateWord, tableRows, type TableRow } from "./model";
import { inlineIcon, toneOf } from "./svg";
import { KINDS, type Graph, type GraphNode } from "./types";

type Child = Node | string;

export function html<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Record<string, string> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export const stateBadge = (state: GraphNode["state"]): HTMLElement =>
  html("span", { class: "state", "data-tone": toneOf(state), "data-state": state }, inlineIcon("states", state), stateWord(state));

const since = (node: GraphNode): string => (node.since ? `for ${duration((Date.now() - Date.parse(node.since)) / 1000)}` : "");

/** Where a node's own page is, when it has one in the project that is looked at. */
export function pageOf(node: GraphNode, project: string): string | null {
  const found = /^view:([^/]+)\/(.+)$/.exec(node.id);
  return found ? `/p/${encodeURIComponent(found[1] ?? project)}/features/${encodeURIComponent(found[2]!)}` : null;
}

/** The drawer of one node: facts, then the chain from the cause in order, in words. */
export function details(node: GraphNode, graph: Graph, project: string, base: string): HTMLElement {
  const facts: [string, Child][] = [["State", stateBadge(node.state)], ["Since", since(node)], ["Detail", node.detail ?? ""], ["Namespace", node.namespace ?? ""], ["Owner", node.owner ?? ""]];
  const list = html("dl", { class: "facts" });
  for (const [label, value] of facts) if (value) list.append(html("dt", {}, label), html("dd", {}, value));
  const address = pageOf(node, project);
  const links = html("div", { class: "actions" });
  if (address) links.append(html("a", { class: "button small", href: address }, "Open view"));
  if (node.id !== graph.focus) links.append(html("a", { class: "button small", href: `${base}?focus=${encodeURIComponent(node.id)}`, "data-refocus": node.id }, "Make focus"));
  const parts: Node[] = [html("p", { class: "meta" }, KINDS[node.kind] ?? node.kind), html("h2", { class: "mono" }, node.name), list, links];
  if (node.hidden) parts.push(html("p", { class: "meta" }, `${node.hidden} more in projects that you may not see.`));
  const chain = causeChain(graph);
  if (chain && graph.cause_path?.includes(node.id)) parts.push(chain);
  return html("div", { class: "body" }, ...parts);
}

/** The way from the cause to the focus as an ordered list; null when nobody knows it. */
export function causeChain(graph: Graph): HTMLElement | null {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const steps = (graph.cause_path ?? []).map((id) => byId.get(id)).filter((node) => node !== undefined);
  if (steps.length === 0) return null;
  const list = html("ol", { class: "steps-list", "data-testid": "cause-chain" });
  steps.forEach((node, index) => {
    list.append(html("li", {}, html("span", { class: "mono" }, node.name), " ", stateBadge(node.state), html("span", { class: "meta" }, `${index === 0 ? "cause. " : ""}${node.detail ?? ""}`)));
  });
  const why = graph.cause ? `${graph.cause.reason ?? ""}${graph.cause.confidence ? ` (confidence ${graph.cause.confidence})` : ""}` : "";
  return html("div", {}, html("h3", {}, "From cause to symptom"), html("p", { class: "meta" }, why), list);
}

/** All nodes that are not fresh; each selects and centres its node. */
export function problemList(graph: Graph): HTMLElement {
  const bad = problems(graph);
  if (bad.length === 0) return html("p", { class: "quiet" }, "Every node shown is fresh.");
  const list = html("ul", { class: "problem-list", "aria-label": "Problems, worst first" });
  for (const node of bad) {
    list.append(html("li", {}, html("button", { type: "button", class: "plain", "data-select": node.id }, stateBadge(node.state), html("span", { class: "mono" }, node.name), html("span", { class: "meta" }, node.detail ?? ""))));
  }
  return list;
}

const COLUMNS: [string, (row: TableRow) => string][] = [
  ["Depth", (row) => String(row.depth).padStart(5)],
  ["Kind", (row) => row.node.kind],
  ["Name", (row) => row.node.name],
  ["State", (row) => row.node.state],
  ["Detail", (row) => row.node.detail ?? ""],
  ["Owner", (row) => row.node.owner ?? ""],
  ["Via", (row) => row.via],
];

/** The graph as a table: the same nodes, for readers of screens, small windows and people who prefer lists. */
export function nodeTable(graph: Graph, base: string, sort: { column: number; down: boolean } | null): HTMLElement {
  const rows = tableRows(graph);
  if (sort) {
    const key = COLUMNS[sort.column]![1];
    const by = (row: TableRow): number | string => (sort.column === 0 ? row.depth : key(row));
    rows.sort((a, b) => (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0) * (sort.down ? -1 : 1));
  }
  const head = html("tr");
  COLUMNS.forEach(([name], index) => {
    const cell = html("th", { scope: "col", ...(index === 0 ? { class: "num" } : {}) }, html("button", { type: "button", class: "plain", "data-sort": String(index) }, name));
    if (sort?.column === index) cell.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
    head.append(cell);
  });
  const body = html("tbody");
  for (const { node, depth, via, onCausePath } of rows) {
    const marks = [graph.cause_path?.[0] === node.id ? "cause" : "", node.id === graph.focus ? "focus" : ""].filter(Boolean);
    const name = html("th", { scope: "row", class: "wide" }, html("a", { class: "name", href: `${base}?focus=${encodeURIComponent(node.id)}&view=table` }, node.name));
    for (const mark of marks) name.append(" ", html("span", { class: "chip" }, mark));
    if (node.namespace) name.append(html("span", { class: "sub" }, node.namespace));
    body.append(
      html(
        "tr",
        { "data-testid": "lineage-row", "data-id": node.id, "data-state": node.state, ...(onCausePath ? { class: "on-path" } : {}) },
        html("td", { class: "num" }, depth > 0 ? `+${depth}` : String(depth)),
        html("td", {}, KINDS[node.kind] ?? node.kind),
        name,
        html("td", {}, stateBadge(node.state)),
        html("td", { class: "wide" }, node.detail ?? ""),
        html("td", {}, node.owner ?? ""),
        html("td", { class: "mono extra" }, via),
      ),
    );
  }
  return html("table", { class: "cards" }, html("caption", { class: "visually-hidden" }, "Every node of the graph"), html("thead", {}, head), body);
}
