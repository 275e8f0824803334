import { CallError } from "@alkdev/operations";

/** A `CallError` that knows more of HTTP than its code says. */
export class HttpError extends CallError {
  readonly headers: Readonly<Record<string, string>>;
  /** Null: what the code says. */
  readonly status: number | null;

  constructor(
    code: string,
    message: string,
    options: {
      readonly details?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly status?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(code, message, options.details, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "HttpError";
    this.headers = options.headers ?? {};
    this.status = options.status ?? null;
  }
}
