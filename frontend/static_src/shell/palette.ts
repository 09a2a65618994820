/** `<fl-palette src="/api/v1/search">`: Ctrl-K, type, arrows, Enter. An ARIA combobox in a dialog. */
import { grouped, matching, parseRecent, remembered, step, type Item } from "./found";

const DEBOUNCE_MS = 80;
const STORE = "freshline.recent";

export class Palette extends HTMLElement {
  #dialog: HTMLDialogElement | null = null;
  #input!: HTMLInputElement;
  #list!: HTMLElement;
  #status!: HTMLElement;
  #items: Item[] = [];
  #selected = 0;
  #timer = 0;
  #asked: AbortController | null = null;

  connectedCallback(): void {
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        this.open();
      }
    });
    document.querySelector("[data-search] input")?.addEventListener("focus", (event) => {
      (event.target as HTMLElement).setAttribute("aria-keyshortcuts", "Control+K");
    });
  }

  open(): void {
    if (!this.#dialog) this.#build();
    if (this.#dialog!.open) return;
    this.#input.value = "";
    this.#show(parseRecent(localStorage.getItem(STORE)).concat(this.#pages()));
    this.#dialog!.showModal();
  }

  #build(): void {
    this.innerHTML = `<dialog aria-label="Search and go to"><input type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-autocomplete="list" aria-label="Search features, owners, incidents" autocomplete="off" spellcheck="false" placeholder="Search features, owners, incidents…"><div role="listbox" id="palette-list" aria-label="Results"></div><div class="status" role="status"></div></dialog>`;
    this.#dialog = this.querySelector("dialog")!;
    this.#input = this.querySelector("input")!;
    this.#list = this.querySelector("[role=listbox]")!;
    this.#status = this.querySelector(".status")!;
    this.#input.addEventListener("input", () => this.#later());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", (event) => {
      const option = (event.target as Element).closest<HTMLElement>("[role=option]");
      if (option) this.#choose(Number(option.dataset["index"]));
    });
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog!.close();
    });
  }

  /** The pages are those of the navigation, so both always agree. */
  #pages(): Item[] {
    return [...document.querySelectorAll<HTMLAnchorElement>(".nav li:not(.more) > a")].map((link) => ({
      section: "Go to",
      label: link.querySelector("span")?.textContent ?? "",
      detail: "",
      url: link.getAttribute("href") ?? "/",
    }));
  }

  #later(): void {
    window.clearTimeout(this.#timer);
    const query = this.#input.value.trim();
    if (!query) {
      this.#show(parseRecent(localStorage.getItem(STORE)).concat(this.#pages()));
      return;
    }
    this.#timer = window.setTimeout(() => void this.#ask(query), DEBOUNCE_MS);
  }

  async #ask(query: string): Promise<void> {
    this.#asked?.abort();
    this.#asked = new AbortController();
    const pages = matching(this.#pages(), query);
    try {
      const address = `${this.getAttribute("src")}?q=${encodeURIComponent(query)}`;
      const response = await fetch(address, { signal: this.#asked.signal, headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(`the search answered ${response.status}`);
      const { items } = (await response.json()) as { items: Item[] };
      this.#show([...items, ...pages]);
    } catch (error) {
      if ((error as Error).name === "AbortError") return;
      this.#show(pages, `The search does not answer (${(error as Error).message}). Try again.`);
    }
  }

  #show(items: Item[], message?: string): void {
    this.#items = [...grouped(items).values()].flat();
    let index = 0;
    const groups = [...grouped(items)].map(([section, members]) => {
      const group = document.createElement("div");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", section);
      const title = document.createElement("div");
      title.setAttribute("role", "presentation");
      title.textContent = section;
      group.append(title, ...members.map((item) => this.#option(item, index++)));
      return group;
    });
    this.#list.replaceChildren(...groups);
    this.#status.textContent = message ?? (items.length === 0 ? "Nothing matches." : `${items.length} results`);
    this.#select(items.length > 0 ? 0 : -1);
  }

  #option(item: Item, index: number): HTMLElement {
    const option = document.createElement("div");
    option.setAttribute("role", "option");
    option.id = `palette-${index}`;
    option.dataset["index"] = String(index);
    for (const text of [item.label, item.detail]) {
      const span = document.createElement("span");
      span.textContent = text;
      option.append(span);
    }
    return option;
  }

  #select(index: number): void {
    this.#selected = index;
    for (const option of this.#list.querySelectorAll<HTMLElement>("[role=option]")) {
      const chosen = Number(option.dataset["index"]) === index;
      option.setAttribute("aria-selected", String(chosen));
      if (chosen) option.scrollIntoView({ block: "nearest" });
    }
    if (index >= 0) this.#input.setAttribute("aria-activedescendant", `palette-${index}`);
    else this.#input.removeAttribute("aria-activedescendant");
  }

  #key(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      this.#select(step(this.#selected, this.#items.length, by));
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.#choose(this.#selected);
    }
  }

  #choose(index: number): void {
    const item = this.#items[index];
    if (!item) return;
    const recent = parseRecent(localStorage.getItem(STORE));
    localStorage.setItem(STORE, JSON.stringify(remembered(recent, item)));
    location.assign(item.url);
  }
}
