import assert from "node:assert/strict";
import type { DispatchedCall } from "../../engine/ports.ts";
import { toWireCall } from "./wire_call.ts";

Deno.test("toWireCall() keeps all of a call but its signal, getters included, through JSON", () => {
  class Call implements DispatchedCall {
    readonly requestId = "r";
    readonly operationId = "t.work";
    readonly input = { n: 1 };
    readonly identity = { id: "ann", scopes: ["a"] };
    readonly orgId = "o";
    readonly attempt = 2;
    readonly deadline = 5;
    readonly spoke = { gpu: "yes" };
    get runId(): string {
      return "run";
    }
    get nodeKey(): string {
      return "a[1]";
    }
    get parentRequestId(): string {
      return "run";
    }
    get traceparent(): string {
      return "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    }
    get signal(): AbortSignal {
      throw new Error("made without need");
    }
  }
  assert.deepEqual(JSON.parse(JSON.stringify(toWireCall(new Call(), false))), {
    requestId: "r",
    operationId: "t.work",
    input: { n: 1 },
    identity: { id: "ann", scopes: ["a"] },
    orgId: "o",
    runId: "run",
    nodeKey: "a[1]",
    attempt: 2,
    parentRequestId: "run",
    deadline: 5,
    spoke: { gpu: "yes" },
    traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    streaming: false,
  });
});
