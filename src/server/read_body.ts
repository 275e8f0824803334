import { CallError } from "@alkdev/operations";
import { HttpError } from "./http_error.ts";
import { isDeeperThan } from "./json_depth.ts";
import type { ServerLimits } from "./ports.ts";

/** A body as JSON. */
export interface JsonBody {
  /** Undefined: there was none. */
  readonly value: unknown;
  readonly bytes: number;
}

const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/i;

/** @throws {CallError} `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`, `BODY_TIMEOUT`, `JSON_TOO_DEEP`, `MALFORMED_JSON` */
export async function readJsonBody(request: Request, limits: ServerLimits): Promise<JsonBody> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    const message = `Header "content-encoding" is ${JSON.stringify(encoding.slice(0, 80))}: wanted none`;
    throw new CallError("UNSUPPORTED_MEDIA_TYPE", message);
  }
  const { text, bytes } = await inTime(readText(request, limits.bodyBytes), limits.bodySeconds).catch(cutShort);
  if (text === "") return { value: undefined, bytes: 0 };
  const type = request.headers.get("content-type");
  if (type !== null && !JSON_TYPE.test(type)) {
    throw new CallError(
      "UNSUPPORTED_MEDIA_TYPE",
      `Header "content-type" is ${JSON.stringify(type.slice(0, 80))}: wanted "application/json"`,
    );
  }
  if (isDeeperThan(text, limits.jsonDepth)) {
    throw new CallError("JSON_TOO_DEEP", `Body is nested too deeply: wanted at most ${limits.jsonDepth} levels`);
  }
  try {
    return { value: JSON.parse(text), bytes };
  } catch (error) {
    // V8 quotes a piece of the text around the mistake, which may be a secret's: only the place is passed on.
    const place = /position \d+( \(line \d+ column \d+\))?/.exec(error instanceof Error ? error.message : "")?.[0];
    throw new CallError("MALFORMED_JSON", `Body is not JSON${place === undefined ? "" : `: see ${place}`}`);
  }
}

/** A body as its bytes. @throws {CallError} `PAYLOAD_TOO_LARGE`, `BODY_TIMEOUT`, `MALFORMED_JSON` when it breaks off */
export function readBytes(request: Request, limit: number, seconds: number): Promise<Uint8Array> {
  return inTime(readChunks(request, limit), seconds);
}

/**
 * The body, or `BODY_TIMEOUT`: a client that sends a byte now and then would else hold a request for ever. Its connection
 * stays as long as it goes on sending: the runtime has no way to cut it off.
 */
export async function inTime<T>(body: Promise<T>, seconds: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `Body was not complete after ${seconds} seconds`;
    late.reject(new HttpError("BODY_TIMEOUT", message, { headers: { connection: "close" } }));
  }, seconds * 1000);
  try {
    return await Promise.race([body, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function readChunks({ body }: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    cutShort(error);
  }
  return await new Blob(chunks).bytes();
}

/** What goes wrong while a body comes in is the client's: it has gone, or sends what is no HTTP. */
function cutShort(error: unknown): never {
  if (error instanceof CallError) throw error;
  throw new CallError("MALFORMED_JSON", "Body ended before it was complete", undefined, { cause: error });
}

async function readText(request: Request, limit: number): Promise<{ readonly text: string; readonly bytes: number }> {
  const length = request.headers.get("content-length");
  // A chunked body is as long as its chunks, whatever else is said.
  if (length !== null && !request.headers.has("transfer-encoding")) {
    const bytes = Number(length);
    if (!(bytes <= limit)) throw tooLarge(limit);
    return { text: decode(new TextDecoder("utf-8", { fatal: true }), await request.bytes()), bytes };
  }
  return request.body === null ? { text: "", bytes: 0 } : await readLimited(request.body, limit);
}

async function readLimited(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<{ readonly text: string; readonly bytes: number }> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  // Leaving the loop by a throw cancels the stream.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > limit) throw tooLarge(limit);
    text += decode(decoder, chunk as BufferSource, { stream: true });
  }
  return { text: text + decode(decoder), bytes };
}

/** Bytes as text. What is no UTF-8 is refused: replaced, it would be stored as something that nobody sent. */
function decode(decoder: TextDecoder, bytes?: BufferSource, options?: TextDecodeOptions): string {
  try {
    return decoder.decode(bytes, options);
  } catch (cause) {
    throw new CallError("MALFORMED_JSON", "Body is not UTF-8", undefined, { cause });
  }
}

function tooLarge(limit: number): CallError {
  return new CallError("PAYLOAD_TOO_LARGE", `Body is too large: wanted at most ${limit} bytes`, { limit });
}

/** Checks one field of a body against its own limit. Measures only where the whole body is larger. */
export function assertFieldSize(field: string, value: unknown, bodyBytes: number, limit: number): void {
  if (bodyBytes <= limit || value === undefined) return;
  const bytes = new TextEncoder().encode(JSON.stringify(value)).byteLength;
  if (bytes <= limit) return;
  throw new CallError("PAYLOAD_TOO_LARGE", `Field "${field}" is ${bytes} bytes: wanted at most ${limit}`, {
    field,
    limit,
  });
}
