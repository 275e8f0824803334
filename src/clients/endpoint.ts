import type { OperationContext, OperationSpec, ResponseEnvelope } from "@alkdev/operations";
import type { Clock } from "../../engine/ports.ts";
import type { Egress } from "../egress/mod.ts";
import type { ClientsLog } from "./ports.ts";

/** How a client is doing on this hub. */
export interface EndpointState {
  readonly status: "connecting" | "up" | "down";
  /** Why it is down; masked. */
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Ms since the epoch; null: nothing is to be tried. */
  readonly retryAt: number | null;
}

/** The other side of a client. Errors are `CallError`s; they may hold secrets, which the client takes out. */
export interface Endpoint {
  readonly state: EndpointState;
  /** The first try to reach it. Resolves when that is over, well or not. */
  start(): Promise<void>;
  /** @param name as offered */
  call(name: string, input: unknown, context: OperationContext): Promise<ResponseEnvelope>;
  /** @throws {CallError} at the first step */
  stream(name: string, input: unknown, context: OperationContext): AsyncIterable<ResponseEnvelope>;
  /** Asks what it offers, now. @throws {CallError} when it cannot be asked */
  refresh(): Promise<void>;
  /** Another hub has read another catalog. */
  reread(content: string): void;
  /** Idempotent. Calls under way are lost. */
  close(): Promise<void>;
}

/** What an endpoint works with. */
export interface EndpointHost {
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly egress: Egress;
  readonly log: ClientsLog;
  /** Opens them. */
  readonly secrets: () => Promise<ReadonlyMap<string, string>>;
  /** For what is logged. */
  readonly mask: (text: string) => string;
  /** What it offers now; `content` is what a later start can do with while it is away, null where that is so already. */
  readonly onOffer: (specs: readonly OperationSpec[], content: string | null) => void;
}
