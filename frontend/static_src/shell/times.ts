/** Instants in the person's chosen wording, kept current. The words are those of wording.py. */

export type Wording = "relative" | "local" | "utc";

const SCALES: readonly (readonly [number, number, string])[] = [
  [2 * 86_400, 86_400, "d"],
  [2 * 3_600, 3_600, "h"],
  [120, 60, "min"],
  [0, 1, "s"],
];

export function duration(seconds: number): string {
  const size = Math.abs(seconds);
  for (const [least, unit, word] of SCALES) if (size >= least) return `${Math.floor(size / unit)} ${word}`;
  return "0 s";
}

export function relative(instant: number, now: number): string {
  const seconds = (now - instant) / 1000;
  if (Math.abs(seconds) < 1) return "just now";
  return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(seconds)}`;
}

const two = (n: number): string => String(n).padStart(2, "0");

export function written(instant: number, now: number, wording: Wording): string {
  if (wording === "relative") return relative(instant, now);
  const at = new Date(instant);
  if (wording === "utc") return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function refreshTimes(root: Document, now: number): void {
  const wording = (root.documentElement.dataset["times"] ?? "relative") as Wording;
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[data-when]")) {
    const text = written(Date.parse(element.dateTime), now, wording);
    if (element.textContent !== text) element.textContent = text;
  }
}

export function tickTimes(root: Document): void {
  refreshTimes(root, Date.now());
  setInterval(() => refreshTimes(root, Date.now()), 1000);
  root.addEventListener("htmx:after:swap", () => refreshTimes(root, Date.now()));
}
