import { CallError, type ResponseEnvelope } from "@alkdev/operations";
import type { Caller } from "../runs/mod.ts";
import { inferenceError } from "./inference_error.ts";
import type { LiveCall } from "./live_call.ts";

export interface GuardsOptions {
  /** Calls an operation with the rights of the call's caller. */
  readonly call: (
    params: {
      readonly caller: Caller;
      readonly operationId: string;
      readonly input: unknown;
      readonly signal: AbortSignal;
    },
  ) => Promise<ResponseEnvelope>;
}

/**
 * Operations that look at calls of models. A guard answers `{allow: false, reason}` to refuse; the one before a call may answer
 * `{request}` to have that sent instead. A guard that fails refuses: it is there for a reason.
 */
export class Guards {
  readonly #options: GuardsOptions;

  constructor(options: GuardsOptions) {
    this.#options = options;
  }

  async before(call: LiveCall, operationId: string): Promise<void> {
    const { endpoint, model, body } = call;
    const said = await this.#ask(call, operationId, { endpoint, model, request: body });
    const { request } = said;
    if (typeof request !== "object" || request === null || Array.isArray(request)) return;
    // The model and whether it streams have been decided.
    call.body = { ...request, model: body["model"], ...("stream" in body && { stream: body["stream"] }) };
  }

  async after(call: LiveCall, operationId: string, answer: unknown): Promise<void> {
    const { endpoint, model, body } = call;
    await this.#ask(call, operationId, { endpoint, model, request: body, answer });
  }

  async #ask(call: LiveCall, operationId: string, input: unknown): Promise<Readonly<Record<string, unknown>>> {
    const { caller } = call.asker;
    let data: unknown;
    try {
      data = (await this.#options.call({ caller, operationId, input, signal: call.signal })).data;
    } catch (error) {
      throw refused(`Guard "${operationId}" failed: the call is not let through`, 500, "guard_failed", error);
    }
    const said: Readonly<Record<string, unknown>> = typeof data === "object" && data !== null ? { ...data } : {};
    if (said["allow"] !== false) return said;
    const reason = typeof said["reason"] === "string" ? said["reason"] : "it gives no reason";
    throw refused(`Refused by guard "${operationId}": ${reason}`, 400, "content_filter");
  }
}

function refused(message: string, status: number, code: string, cause?: unknown): CallError {
  const type = status < 500 ? "invalid_request_error" : "api_error";
  return inferenceError("GUARD_REFUSED", { status, error: { message, type, param: null, code } }, cause);
}
