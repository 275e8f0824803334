/** Calls: one request an attempt, one outcome a request, and retries as the policy says (I2). */
import type { Json, RetryPolicy } from "@alkdev/flowgraph";
import type { EventOf, RunEvent } from "../../../engine/events.ts";
import type { Instance } from "./instance.ts";
import type { RunModel } from "./run_model.ts";
import { same } from "./same.ts";
import { fill } from "./values.ts";

type CallEvent = Extract<RunEvent, { requestId: string }>;

const NEVER_RETRIED = ["ABORTED", "ACCESS_DENIED", "VALIDATION_ERROR", "OPERATION_NOT_FOUND", "PAYLOAD_TOO_LARGE"];

export function applyRequest(model: RunModel, inst: Instance, event: EventOf<"call.requested">): void {
  const { node } = inst;
  if (node.kind !== "operation") return model.fail("log", `call.requested of "${inst.key}", a ${node.kind}`);
  if (inst.status === "aborted" && inst.attempt + 1 === event.attempt) {
    // It was sent before it was aborted, and says so late.
    inst.attempt = event.attempt;
    inst.requestId = event.requestId;
    inst.running = true;
    return;
  }
  model.touch(inst, "call.requested");
  if (inst.running) {
    model.fail("I2", `Attempt ${event.attempt} of "${inst.key}" starts while attempt ${inst.attempt} is open`);
  }
  if (event.attempt !== inst.attempt + 1) {
    model.fail("I2", `Attempt ${event.attempt} of "${inst.key}" follows attempt ${inst.attempt}`);
  }
  const known = model.requests.get(event.requestId);
  if (known !== undefined) model.fail("I2", `Request id ${event.requestId} of "${inst.key}" belongs to ${known}`);
  model.requests.set(event.requestId, `${inst.key}/${event.attempt}`);
  same(model, event.input, fill(model.scope, inst.frame, node.input), `The input of "${inst.key}"`);
  if (event.operationId !== node.operationId) model.fail("data", `"${inst.key}" called ${event.operationId}`);
  inst.attempt = event.attempt;
  inst.requestId = event.requestId;
  inst.retryAt = null;
  inst.running = true;
}

export function applyOutcome(model: RunModel, inst: Instance, event: CallEvent): void {
  if (!inst.running || inst.attempt !== event.attempt || inst.requestId !== event.requestId) {
    model.fail("I2", `${event.type} of "${inst.key}" attempt ${event.attempt}, which is not under way`);
  }
  inst.running = false;
  if (event.type === "call.aborted") {
    if (!inst.ended) inst.status = "aborted";
    return;
  }
  if (inst.status !== "open") model.fail("I2", `${event.type} of "${inst.key}", which is ${inst.status}`);
  if (event.type === "call.responded") {
    inst.data = (event.output.data ?? null) as Json;
    inst.status = "completed";
  } else if (event.type === "call.error") {
    const policy = inst.node.kind === "operation" ? inst.node.retry : undefined;
    checkRetry(model, inst, event, policy);
    inst.retryAt = event.retryAt;
    inst.lastError = event.error;
    if (event.retryAt === null) failInstance(inst, event);
  }
}

function checkRetry(
  model: RunModel,
  inst: Instance,
  event: EventOf<"call.error">,
  policy: RetryPolicy | undefined,
): void {
  const { code } = event.error;
  const own = policy?.perCode?.[code];
  const step = own ?? policy;
  const wanted = own !== undefined ||
    (policy?.on === undefined ? !NEVER_RETRIED.includes(code) : policy.on.includes(code));
  const again = step !== undefined && event.attempt < step.maxAttempts && wanted;
  if (again !== (event.retryAt !== null)) {
    model.fail("retry", `"${inst.key}" failed with ${code} in attempt ${event.attempt}: retryAt is ${event.retryAt}`);
  }
  if (step === undefined || event.retryAt === null) return;
  const { kind, initialMs, factor, maxMs } = step.backoff;
  const full = Math.min(maxMs, kind === "fixed" ? initialMs : initialMs * factor ** (event.attempt - 1));
  const delay = event.retryAt - event.at;
  if (delay > full + 1 || delay < full * (1 - step.jitter) - 1) {
    model.fail("retry", `"${inst.key}" is to be tried again in ${delay} ms, its backoff is ${full} ms`);
  }
}

export function failInstance(inst: Instance, event: EventOf<"call.error" | "node.failed">): void {
  inst.status = "failed";
  inst.error = event.error;
  inst.failedSeq = event.seq;
}
