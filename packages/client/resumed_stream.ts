import { HubError } from "./hub_error.ts";
import { readServerSentEvents, type ServerSentEvent } from "./server_sent_events.ts";
import { backoffMs, pause, type RequestOptions, type Transport } from "./transport.ts";

/** Where a stream goes on, and for how long it is worth trying. */
export interface ResumeOptions {
  /** Id after which to begin. Default 0: from the first. */
  readonly after?: number;
  readonly signal?: AbortSignal;
  /** How long the hub may stay away before the stream fails. Default 60,000. */
  readonly maxAwayMs?: number;
}

/** One way to read a stream of the hub. */
export interface ResumedSource<T> {
  readonly transport: Transport;
  readonly path: string;
  readonly query?: RequestOptions["query"];
  /** `isLast`: nothing follows it. Null: the end, which is nothing to give on. */
  parse(sent: ServerSentEvent): { readonly id: number; readonly value: T; readonly isLast: boolean } | null;
  /** Asked when a stream has ended without a last event: whether nothing more will come after `id`. */
  hasEnded(id: number): Promise<boolean>;
}

/**
 * Everything of a stream, each once and in order. A connection that drops is opened again after the last one seen, across restarts
 * of the hub.
 *
 * @throws {HubError} when the hub refuses, the last connection error when it stays away
 */
export async function* resumedStream<T>(
  source: ResumedSource<T>,
  { after: from = 0, signal, maxAwayMs = 60_000 }: ResumeOptions,
): AsyncGenerator<T, void, undefined> {
  let after = from;
  let awaySince: number | null = null;
  for (let failures = 0;; failures++) {
    try {
      for await (const sent of open(source, after, signal)) {
        if (sent.type === "error") throw new HubError(JSON.parse(sent.data));
        failures = 0;
        awaySince = null;
        const parsed = source.parse(sent);
        if (parsed === null) return;
        if (parsed.id > after) {
          after = parsed.id;
          yield parsed.value;
        }
        if (parsed.isLast) return;
      }
      if (await source.hasEnded(after)) return;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof HubError && error.status < 500 && error.status !== 429) throw error;
      awaySince ??= Date.now();
      if (Date.now() - awaySince >= maxAwayMs) throw error;
    }
    await pause(backoffMs(Math.min(failures, 6)), signal);
  }
}

async function* open(
  { transport, path, query }: Pick<ResumedSource<unknown>, "transport" | "path" | "query">,
  after: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const response = await transport.send("GET", path, {
    accept: "text/event-stream",
    headers: { "last-event-id": String(after) },
    isSafe: false, // the stream itself comes back
    ...(query !== undefined && { query }),
    ...(signal !== undefined && { signal }),
  });
  if (response.body !== null) yield* readServerSentEvents(response.body);
}
