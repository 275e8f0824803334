/** The reference spoke. @module */
export { devOperations, runDevSpoke } from "./run_dev_spoke.ts";
export type { DevSpokeOptions } from "./run_dev_spoke.ts";
