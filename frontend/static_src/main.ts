/** What every page loads: htmx, live polling, times that tick, the palette; charts and diffs on demand. */
import "htmx.org";
import { installControls } from "./shell/controls";
import { installLive } from "./shell/live";
import { Palette } from "./shell/palette";
import { tickTimes } from "./shell/times";
import { Chart } from "./chart/element";

customElements.define("fl-palette", Palette);
customElements.define("fl-chart", Chart);
installControls(document);
installLive(document);
tickTimes(document);

if (document.querySelector("fl-diff")) {
  void import("./diff/element").then(({ Diff }) => customElements.define("fl-diff", Diff));
}
