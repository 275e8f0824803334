import type { RunSearch } from "../../sight/mod.ts";
import type { Route } from "../route.ts";
import { type RunLogsDeps, runLogsRoute } from "./run_logs.ts";
import { searchRoute } from "./search.ts";

/** What the routes of sight stand on. */
export interface SightDeps extends RunLogsDeps {
  readonly search: RunSearch;
}

/** Logs of runs, and search: what a hub shows beside the runs themselves. */
export function sightRoutes(deps: SightDeps): readonly Route[] {
  return [runLogsRoute(deps), searchRoute(deps)];
}
