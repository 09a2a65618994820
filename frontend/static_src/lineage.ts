/** Loaded by the lineage page alone. */
import { Lineage } from "./lineage/element";

customElements.define("fl-lineage", Lineage);
