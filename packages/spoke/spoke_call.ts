import type { Identity, LogLevel, OperationContext } from "@alkdev/operations";
import { isRecord } from "./envelope.ts";

/** A decoded `call.requested` of the hub. */
export interface HubRequest {
  readonly requestId: string;
  readonly operationId: string;
  readonly input: unknown;
  readonly parentRequestId: string | undefined;
  /** Ms since the epoch. */
  readonly deadline: number | undefined;
  readonly identity: Identity | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Null: not a request. */
export function toHubRequest(payload: Readonly<Record<string, unknown>>): HubRequest | null {
  const { requestId, operationId, input, parentRequestId, deadline, identity, metadata } = payload;
  if (typeof requestId !== "string" || typeof operationId !== "string") return null;
  return {
    requestId,
    operationId,
    input,
    parentRequestId: typeof parentRequestId === "string" ? parentRequestId : undefined,
    deadline: typeof deadline === "number" ? deadline : undefined,
    identity: isIdentity(identity) ? identity : undefined,
    metadata: isRecord(metadata) ? metadata : {},
  };
}

/** Says something about a call to the hub, without waiting for an answer. */
export type Tell = (operationId: "hub.progress" | "hub.log", input: Readonly<Record<string, unknown>>) => void;

/** One call that this spoke works on: what its handler sees of it. */
export class SpokeCall implements OperationContext {
  readonly request: HubRequest;
  /** The hub has asked for it on the present connection: only then is its outcome sent. */
  wanted = true;
  /** Nothing that happens now changes its outcome. */
  settled = false;
  cancelDeadline: () => void = () => {};
  #controller: AbortController | null = null;
  #reason: unknown;
  #isAborted = false;
  readonly #tell: Tell;

  constructor(request: HubRequest, tell: Tell) {
    this.request = request;
    this.#tell = tell;
  }

  get requestId(): string {
    return this.request.requestId;
  }
  get parentRequestId(): string | undefined {
    return this.request.parentRequestId;
  }
  get identity(): Identity | undefined {
    return this.request.identity;
  }
  get metadata(): Readonly<Record<string, unknown>> {
    return this.request.metadata;
  }
  get traceparent(): string | undefined {
    const { traceparent } = this.request.metadata;
    return typeof traceparent === "string" ? traceparent : undefined;
  }
  get deadlineMs(): number | undefined {
    return this.request.deadline;
  }
  /** Made on first use: most handlers are done before they would be told. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  // Made on demand, so that a handler may take them out of its context.
  get progress(): (value: unknown) => void {
    return (value) => {
      if (!this.settled && this.wanted) this.#tell("hub.progress", { requestId: this.requestId, value });
    };
  }

  get log(): (level: LogLevel, message: string, data?: unknown) => void {
    return (level, message, data) => {
      if (this.settled || !this.wanted) return;
      this.#tell("hub.log", { requestId: this.requestId, level, message, ...(data === undefined ? {} : { data }) });
    };
  }

  abort(reason: unknown): void {
    this.#isAborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

function isIdentity(value: unknown): value is Identity {
  return isRecord(value) && typeof value["id"] === "string" && Array.isArray(value["scopes"]);
}
