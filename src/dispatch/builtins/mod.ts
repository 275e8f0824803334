/** The operations that every hub has. @module */
import type { OperationRegistry } from "@alkdev/operations";
import type { Clock } from "../../../engine/ports.ts";
import type { Egress } from "../../egress/mod.ts";
import type { Operations } from "../ports.ts";
import { coreEcho } from "./core_echo.ts";
import { coreEval } from "./core_eval.ts";
import { coreFail } from "./core_fail.ts";
import { coreHttp } from "./core_http.ts";
import { coreSleep } from "./core_sleep.ts";
import { hubCall } from "./hub_call.ts";
import { hubList } from "./hub_list.ts";
import { hubSchema } from "./hub_schema.ts";
import { hubSearch } from "./hub_search.ts";

/** What the built-in operations work with. */
export interface BuiltinOptions {
  readonly operations: Operations;
  readonly clock: Clock;
  readonly httpHosts: readonly string[];
  readonly egress: Egress;
}

export function registerBuiltins(
  registry: OperationRegistry,
  { operations, clock, httpHosts, egress }: BuiltinOptions,
): void {
  registry.registerAll([
    coreEcho,
    coreEval,
    coreFail,
    coreSleep(clock),
    coreHttp({ hosts: httpHosts, egress }),
    hubList(operations),
    hubSearch(operations),
    hubSchema(operations),
    hubCall(operations),
  ]);
}
