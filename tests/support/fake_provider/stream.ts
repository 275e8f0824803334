import type { Fault } from "./fault.ts";

/** One server-sent event: its data as JSON, and its name where the wire has names. */
export interface Chunk {
  readonly event?: string;
  /** A string goes out as it is. */
  readonly data: unknown;
}

const encoder = new TextEncoder();

/** Streams chunks as server-sent events, with the fault's doing. */
export function streamOf(chunks: readonly Chunk[], fault: Fault | null, signal: AbortSignal): Response {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (fault?.kind === "cut" && at >= fault.after) return controller.error(new Error("cut on demand"));
      if (fault?.kind === "slow-chunks" && at > 0) await pause(fault.ms, signal);
      if (fault?.kind === "malformed" && at === fault.after) {
        fault = null;
        return controller.enqueue(encoder.encode('data: {"choices": [{"delta": {"conte\n\n'));
      }
      const chunk = chunks[at++];
      if (chunk === undefined) return controller.close();
      const data = typeof chunk.data === "string" ? chunk.data : JSON.stringify(chunk.data);
      controller.enqueue(
        encoder.encode(`${chunk.event === undefined ? "" : `event: ${chunk.event}\n`}data: ${data}\n\n`),
      );
    },
  });
  return new Response(body, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" },
  });
}

/** Resolves after `ms`, or at once when the client has gone. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
