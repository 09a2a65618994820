/** What GET /api/v1/lineage/graph answers. Optional fields may be null: everything is drawn without them. */

export type State = "fresh" | "late" | "stale" | "missing" | "violating" | "no_data" | "paused";
export type Kind = "dataset" | "job" | "view" | "service" | "model";

export interface GraphNode {
  id: string;
  kind: Kind;
  name: string;
  namespace: string | null;
  state: State;
  since: string | null;
  detail: string | null;
  owner: string | null;
  up_total: number | null;
  up_drawn: number | null;
  down_total: number | null;
  down_drawn: number | null;
  hidden: number | null;
}

export interface GraphEdge {
  from: string;
  to: string;
  kind: "data" | "control";
  state: "ok" | "broken";
}

export interface Cause {
  node: string;
  reason: string | null;
  confidence: "high" | "low" | null;
  run: string | null;
}

export interface Graph {
  focus: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
  cause_path: string[] | null;
  cause: Cause | null;
  left_out: { count: number; reason: string } | null;
  as_of: string | null;
}

/** Worst first: the order of every list of states. */
export const SEVERITY: readonly State[] = ["missing", "stale", "violating", "late", "no_data", "paused", "fresh"];

export const WORDS: Record<State, string> = {
  fresh: "Fresh",
  late: "Late",
  stale: "Stale",
  missing: "Missing",
  violating: "Violating",
  no_data: "No data",
  paused: "Paused",
};

export const KINDS: Record<Kind, string> = {
  dataset: "dataset",
  job: "job",
  view: "feature view",
  service: "feature service",
  model: "model",
};

/** Whether somebody has to look at it. A paused node is off by a person's will. */
export const isProblem = (state: State): boolean => state !== "fresh" && state !== "paused";

export const bySeverity = (a: State, b: State): number => SEVERITY.indexOf(a) - SEVERITY.indexOf(b);
