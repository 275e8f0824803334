export { runChecks } from "./run_checks.ts";
export type { CheckResult, RunChecksOptions } from "./run_checks.ts";
