import type { Route } from "../route.ts";
import { type RunLogsDeps, runLogsRoute } from "./run_logs.ts";

/** What the routes of sight stand on. */
export type SightDeps = RunLogsDeps;

/** Logs of runs, search and estimates: what a hub shows beside the runs themselves. */
export function sightRoutes(deps: SightDeps): readonly Route[] {
  return [runLogsRoute(deps)];
}
