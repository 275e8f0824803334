import type { CallUsage, UsageMeter } from "@alkdev/operations";
import type { DispatchedCall } from "../../engine/ports.ts";
import type { UsageHost } from "./ports.ts";

/** What one call's handler says that it uses. */
export class CallMeter implements UsageMeter {
  readonly #call: DispatchedCall;
  readonly #host: UsageHost | undefined;
  /** Null: it has said nothing. */
  used: CallUsage | null = null;

  constructor(call: DispatchedCall, host: UsageHost | undefined) {
    this.#call = call;
    this.#host = host;
  }

  reserve(upTo: { readonly tokens?: number; readonly costMicros?: number }): Promise<void> {
    return this.#host === undefined ? Promise.resolve() : this.#host.reserve(this.#call, upTo);
  }

  settle(usage: CallUsage): void {
    const { model: before, ...used } = this.used ?? {};
    const { model = before, ...more } = usage;
    const sum: Record<string, number> = used;
    for (const [name, amount] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + amount;
    this.used = model === undefined ? sum : { ...sum, model };
    this.#host?.report(this.#call, usage);
  }
}
