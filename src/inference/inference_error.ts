import { CallError } from "@alkdev/operations";

/** OpenAI's error object: what its clients read. */
export interface OpenAiError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** What a provider, or the hub in its place, has against a request. */
export interface RefusalDetails {
  readonly status: number;
  readonly error: OpenAiError;
  /** As the provider said it: seconds, or a date. */
  readonly retryAfter?: string;
}

/** A failed call with what its caller is told. */
export function inferenceError(code: string, details: RefusalDetails, cause?: unknown): CallError {
  return new CallError(code, details.error.message, details, cause === undefined ? undefined : { cause });
}

/** No provider of the organization has the model. */
export function modelNotFound(model: string): CallError {
  return inferenceError("MODEL_NOT_FOUND", {
    status: 404,
    error: {
      message: `The model "${model.slice(0, 200)}" does not exist here: see GET /v1/models`,
      type: "invalid_request_error",
      param: "model",
      code: "model_not_found",
    },
  });
}

export function invalidRequest(message: string, param: string | null): CallError {
  return inferenceError("VALIDATION_ERROR", {
    status: 400,
    error: { message, type: "invalid_request_error", param, code: null },
  });
}

/** The details of an error that inference made; null: it is another's. */
export function refusalOf(error: unknown): RefusalDetails | null {
  if (!(error instanceof CallError)) return null;
  const { details } = error;
  if (typeof details !== "object" || details === null || !("error" in details) || !("status" in details)) return null;
  return typeof details.status === "number" ? details as RefusalDetails : null; // made by inferenceError
}
