import { type SseSource, sseStream } from "./sse_stream.ts";

/** The response of an event stream. */
export function sseResponse<T>(source: SseSource<T>, requestId: string): Response {
  return new Response(sseStream(source), {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // For proxies that hold responses back.
      "x-accel-buffering": "no",
      "x-request-id": requestId,
    },
  });
}
