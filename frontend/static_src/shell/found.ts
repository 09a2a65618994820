/** What the palette lists: answers of the search, pages, recent choices; grouped, and walked with the arrows. */

export interface Item {
  section: string;
  label: string;
  detail: string;
  url: string;
}

export const RECENT_LIMIT = 6;

/** Groups by section in order of first appearance. */
export function grouped(items: readonly Item[]): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(item.section, [...(groups.get(item.section) ?? []), item]);
  return groups;
}

/** Pages whose name contains every typed word. */
export function matching(pages: readonly Item[], query: string): Item[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return pages.filter((page) => words.every((word) => page.label.toLowerCase().includes(word)));
}

/** The next selected index; walking past an end comes in at the other. -1 when there is nothing. */
export function step(selected: number, count: number, by: number): number {
  if (count === 0) return -1;
  return (((selected + by) % count) + count) % count;
}

/** Recent choices with `item` first, without repeats. */
export function remembered(recent: readonly Item[], item: Item): Item[] {
  const rest = recent.filter((each) => each.url !== item.url);
  return [{ ...item, section: "Recent" }, ...rest].slice(0, RECENT_LIMIT);
}

/** Parses what storage holds; anything unexpected counts as nothing. */
export function parseRecent(text: string | null): Item[] {
  try {
    const items: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(items)) return [];
    return items.filter((each): each is Item => typeof each?.url === "string" && each.url.startsWith("/") && typeof each.label === "string");
  } catch {
    return [];
  }
}
