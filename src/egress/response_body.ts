import type { IncomingMessage } from "node:http";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { CallError } from "@alkdev/operations";

/** What is watched while a body comes in. */
export interface BodyWatch {
  readonly url: string;
  /** Of the body as it comes, and again as it is after decompression. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Told of each piece. */
  readonly onChunk: () => void;
  /** Told once, however it ended. */
  readonly onEnd: () => void;
}

/** The body as a stream, decompressed. Leaving it destroys the connection. */
export function responseBody(message: IncomingMessage, watch: BodyWatch): ReadableStream<Uint8Array> {
  const decoder = decoderOf(message);
  const source = decoder === null ? message : message.pipe(decoder);
  if (decoder !== null) message.on("error", (error) => decoder.destroy(error));
  const stop = () => {
    const reason: unknown = watch.signal.reason;
    const error = reason instanceof Error ? reason : new Error(String(reason));
    source.destroy(error);
    message.destroy(error);
  };
  watch.signal.addEventListener("abort", stop, { once: true });
  let raw = 0;
  const tooLarge = () =>
    new CallError("RESPONSE_TOO_LARGE", `"${watch.url}" answers more than ${watch.maxBytes} bytes`, {
      maxBytes: watch.maxBytes,
    });
  if (decoder !== null) {
    message.on("data", (chunk: Uint8Array) => {
      raw += chunk.byteLength;
      if (raw > watch.maxBytes) decoder.destroy(tooLarge());
    });
  }
  // Whoever destroys a stream that nobody reads yet must not bring the process down.
  source.on("error", () => {});
  message.on("error", () => {});
  const chunks = (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const end = () => {
    watch.signal.removeEventListener("abort", stop);
    message.destroy();
    source.destroy();
    watch.onEnd();
  };
  let bytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const step = await chunks.next();
        if (step.done === true) {
          if (!message.complete) throw new Error("The connection ended before the body did");
          end();
          return controller.close();
        }
        bytes += step.value.byteLength;
        if (bytes > watch.maxBytes) throw tooLarge();
        watch.onChunk();
        controller.enqueue(new Uint8Array(step.value));
      } catch (error) {
        end();
        controller.error(watch.signal.aborted ? watch.signal.reason : error);
      }
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

/** Null: the body comes as it is. */
function decoderOf(message: IncomingMessage): ReturnType<typeof createGunzip> | null {
  const encoding = message.headers["content-encoding"]?.trim().toLowerCase();
  if (encoding === "gzip" || encoding === "x-gzip") return createGunzip();
  if (encoding === "deflate") return createInflate();
  if (encoding === "br") return createBrotliDecompress();
  return null;
}

/** Whether {@linkcode responseBody} decompresses it. */
export function isCompressed(message: IncomingMessage): boolean {
  return /^\s*(x-gzip|gzip|deflate|br)\s*$/i.test(message.headers["content-encoding"] ?? "");
}
