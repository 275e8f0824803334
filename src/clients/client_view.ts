import type { ClientRecord } from "./client.ts";
import type { ClientConfig } from "./client_config.ts";
import type { LiveState } from "./live_client.ts";

/** A client as it is shown: without its secrets. Times are ms since the epoch. */
export interface ClientView {
  readonly name: string;
  readonly type: ClientConfig["type"];
  /** Names of headers and variables, not their values. */
  readonly config: ClientConfig;
  readonly hasSecret: boolean;
  readonly secrets: readonly { readonly name: string; readonly last4: string | null; readonly updatedAt: number }[];
  /** On the hub that was asked. `stored`: it is not called by the hub itself. */
  readonly status: "connecting" | "up" | "down" | "stored";
  readonly circuit: "closed" | "open" | "half-open" | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly retryAt: number | null;
  readonly operations: number;
  readonly inFlight: number;
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** @param state null: it is not known on this hub, or gives no operations */
export function viewOf(client: ClientRecord, state: LiveState | null): ClientView {
  const { name, config, secrets, revision, createdAt, updatedAt } = client;
  return {
    name,
    type: config.type,
    config,
    hasSecret: secrets.length > 0,
    secrets: secrets.map(({ name, last4, updatedAt }) => ({ name, last4, updatedAt })),
    status: config.type === "llm-provider" ? "stored" : state?.status ?? "connecting",
    circuit: state?.circuit ?? null,
    error: state?.error ?? null,
    retryAt: state?.retryAt ?? null,
    operations: state?.operations ?? 0,
    inFlight: state?.inFlight ?? 0,
    revision,
    createdAt,
    updatedAt,
  };
}
