import { Type } from "@alkdev/typebox";
import { CallError, type OperationRegistration } from "@alkdev/operations";
import type { Clock } from "../../../engine/ports.ts";
import { defineOperation } from "./define_operation.ts";

const MAX_MS = 24 * 60 * 60 * 1000;

/** `{ms} -> {ms}`: waits in this process. For waits that survive a restart there is the Sleep node. */
export function coreSleep(clock: Clock): OperationRegistration {
  return defineOperation({
    namespace: "core",
    name: "sleep",
    type: "query",
    title: "Sleep",
    description: "Waits for the given time in milliseconds, in the hub's process.",
    inputSchema: Type.Object({ ms: Type.Number({ minimum: 0, maximum: MAX_MS }) }),
    outputSchema: Type.Object({ ms: Type.Number() }),
    handler: ({ ms }, { signal }) =>
      new Promise<{ ms: number }>((resolve, reject) => {
        const aborted = () => {
          cancel();
          reject(signal?.reason instanceof CallError ? signal.reason : new CallError("ABORTED", "Sleep was aborted"));
        };
        const cancel = clock.at(clock.now() + ms, () => {
          signal?.removeEventListener("abort", aborted);
          resolve({ ms });
        });
        if (signal?.aborted) return aborted();
        signal?.addEventListener("abort", aborted, { once: true });
      }),
  });
}
