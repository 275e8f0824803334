/** Calls `onRevoked` when a key stops to be valid; the answer takes the watch back. */
export type WatchKey = (keyId: string, onRevoked: () => void) => () => void;

/** An event stream that ends when the key it was opened with stops to be valid; any other response as it is. */
export function untilRevoked(response: Response, keyId: string, watchKey: WatchKey | undefined): Response {
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (watchKey === undefined || !isStream || response.body === null) return response;
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  let release = (): void => {};
  let isOver = false;
  const end = (): void => {
    isOver = true;
    release();
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      release = watchKey(keyId, () => {
        if (isOver) return;
        end();
        controller.close();
        reader.cancel().catch(() => {});
      });
    },
    async pull(controller) {
      const next = await reader.read();
      if (isOver) return;
      if (!next.done) return controller.enqueue(next.value);
      end();
      controller.close();
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(body, response);
}
