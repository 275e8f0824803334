/** The checks of `hub doctor`. @module */
import { checkConfig } from "./check_config.ts";
import { checkDataDir } from "./check_data_dir.ts";
import { checkHub } from "./check_hub.ts";
import { checkRuntime } from "./check_runtime.ts";
import { checkServices } from "./check_services.ts";
import { checkTemplates } from "./check_templates.ts";
import type { Check } from "./finding.ts";

/** In the order in which they are told. */
export const CHECKS: readonly Check[] = [
  checkRuntime,
  checkConfig,
  checkDataDir,
  checkServices,
  checkTemplates,
  checkHub,
];
