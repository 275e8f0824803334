import { CallError } from "../call_error.ts";
import type { HttpResponseMeta } from "../response_envelope.ts";
import { mediaKind } from "./media_type.ts";

/** What an error says of the body it came with. */
const MAX_ERROR_BODY = 16 * 1024;

/** The `meta` of an http envelope, without its source. */
export function responseMeta(response: Response): Omit<HttpResponseMeta, "source"> {
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    contentType: response.headers.get("content-type") ?? "",
  };
}

/**
 * The body as data: JSON parsed, text as it is, anything else in base64; null when there is none.
 *
 * @throws {CallError} `EXECUTION_ERROR` when it says that it is JSON and is not
 */
export async function readData(response: Response, what: string): Promise<unknown> {
  const kind = mediaKind(response.headers.get("content-type") ?? "");
  if (kind === "bytes") {
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length === 0) return null;
    // Without a type it is most likely text, and text that is none has bytes that no UTF-8 has.
    return response.headers.has("content-type") ? toBase64(bytes) : decode(bytes) ?? toBase64(bytes);
  }
  const text = await response.text();
  if (kind !== "json") return text;
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CallError("EXECUTION_ERROR", `${what} answered JSON that cannot be read`, {
      statusCode: response.status,
      body: text.slice(0, MAX_ERROR_BODY),
    }, { cause: error });
  }
}

/** What is thrown for an answer that is no success. The body is in the details, up to 16 Ki characters of text. */
export async function responseError(response: Response, what: string): Promise<CallError> {
  const text = (await response.text().catch(() => "")).slice(0, MAX_ERROR_BODY);
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Text is what it stays.
  }
  const status = `${response.status} ${response.statusText}`.trim();
  return new CallError("EXECUTION_ERROR", `${what} answered ${status}`, { statusCode: response.status, body });
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  // Arguments of a call are limited.
  for (let start = 0; start < bytes.length; start += 0x8000) {
    parts.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(parts.join(""));
}
