/** `<fl-diff>` turns its two `<pre>` into one table of lines; without script both texts stay readable. */
import { align, folded, type Pair } from "./lines";

export class Diff extends HTMLElement {
  connectedCallback(): void {
    const text = (which: string): string[] => (this.querySelector(`[data-${which}]`)?.textContent ?? "").trimEnd().split("\n");
    const table = document.createElement("table");
    const body = table.createTBody();
    for (const pair of folded(align(text("older"), text("newer")))) row(body, pair);
    const caption = table.createCaption();
    caption.className = "visually-hidden";
    caption.textContent = "Line by line, before and after";
    this.replaceChildren(table);
  }
}

function row(body: HTMLTableSectionElement, pair: Pair): void {
  const line = body.insertRow();
  if ("skipped" in pair) {
    const cell = line.insertCell();
    cell.colSpan = 2;
    cell.className = "skip-lines";
    cell.textContent = `${pair.skipped} unchanged ${pair.skipped === 1 ? "line" : "lines"}`;
    return;
  }
  const changed = pair.older !== pair.newer;
  for (const [text, name, tag] of [[pair.older, "gone", "del"], [pair.newer, "came", "ins"]] as const) {
    const cell = line.insertCell();
    if (text === null) continue;
    if (!changed) {
      cell.textContent = text;
      continue;
    }
    cell.className = name;
    const mark = document.createElement(tag);
    mark.textContent = text;
    cell.append(mark);
  }
}
