// Page-weight budgets. The build fails when one is exceeded.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const KIB = 1024;
const manifest = JSON.parse(readFileSync("dist/manifest.json", "utf8"));

/** The files that a page loads at once for an entry: itself and what it imports statically. */
function eager(entry, seen = new Set()) {
  const chunk = manifest[entry];
  if (!chunk) throw new Error(`the manifest has no ${entry}`);
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const name of chunk.imports ?? []) eager(name, seen);
  return seen;
}

const weight = (files) => files.reduce((sum, file) => sum + gzipSync(readFileSync(`dist/${file}`)).length, 0);
const main = eager("static_src/main.ts");
const island = [...eager("static_src/lineage.ts")].filter((file) => !main.has(file));
const shared = Object.values(manifest)
  .filter((chunk) => chunk.isDynamicEntry && !chunk.file.includes("plotly"))
  .map((chunk) => chunk.file);
const plotly = Object.values(manifest)
  .map((chunk) => chunk.file)
  .filter((file) => file.includes("plotly"));

const budgets = [
  ["scripts of every page", weight([...new Set([...main, ...shared])]), 25 * KIB],
  ["styles", weight([manifest["static_src/main.css"].file]), 20 * KIB],
  ["lineage island", weight(island), 30 * KIB],
  ["chart library, loaded when a chart comes into view", weight(plotly), 400 * KIB],
];

let exceeded = false;
for (const [what, bytes, limit] of budgets) {
  const ok = bytes > 0 && bytes <= limit;
  exceeded ||= !ok;
  console.log(`${ok ? "ok  " : "OVER"} ${what}: ${(bytes / KIB).toFixed(1)} of ${limit / KIB} KiB gzip`);
}
process.exit(exceeded ? 1 : 0);
