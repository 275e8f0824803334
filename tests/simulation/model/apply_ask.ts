/** What people ask of single nodes. */
import type { EventOf } from "../../../engine/events.ts";
import type { Instance } from "./instance.ts";
import type { RunModel } from "./run_model.ts";
import { same } from "./same.ts";

export type AskEvent = EventOf<"node.aborted" | "node.paused" | "node.resumed" | "node.nudged">;

export function applyAsk(model: RunModel, inst: Instance, event: AskEvent): void {
  if (inst.ended) model.fail("log", `${event.type} of "${inst.key}", which is ${inst.status}`);
  switch (event.type) {
    case "node.aborted":
      if (inst.doom !== null) model.fail("log", `"${inst.key}" is aborted twice`);
      if (inst.status === "idle") inst.doom = event;
      else model.abortSelf(inst, event);
      return;
    case "node.paused":
    case "node.resumed": {
      const paused = event.type === "node.paused";
      if (inst.paused === paused) model.fail("log", `${event.type} of "${inst.key}", which is so already`);
      inst.paused = paused;
      return;
    }
    case "node.nudged":
      if (inst.retryAt === null || inst.running) model.fail("log", `"${inst.key}" waits for no attempt`);
      inst.retryAt = event.at;
  }
}

/** A node that is given up waited for its next attempt, and says what the last one failed with. */
export function checkGivenUp(model: RunModel, inst: Instance, event: EventOf<"node.failed">): void {
  model.touch(inst, "node.failed");
  if (inst.retryAt === null || inst.running) model.fail("log", `"${inst.key}" is given up and waits for no attempt`);
  const details = { by: "someone", attempts: inst.attempt, error: inst.lastError };
  same(model, event.error.details, details, `What "${inst.key}" was given up after`);
}
