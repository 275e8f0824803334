import { CallError } from "../call_error.ts";
import { isObject, quote } from "../json_schema_keywords.ts";
import { mediaKind } from "./media_type.ts";

/** A body as `fetch` takes it. */
export interface EncodedBody {
  readonly body: BodyInit;
  /** Absent where `fetch` must set it, with the boundary of its parts. */
  readonly contentType?: string;
}

/** @throws {CallError} `VALIDATION_ERROR` when the media type has no place for such a value */
export function encodeBody(mediaType: string, value: unknown): EncodedBody {
  switch (mediaKind(mediaType)) {
    case "json":
      return { body: JSON.stringify(value), contentType: mediaType };
    case "form":
      return { body: new URLSearchParams(fields(mediaType, value)), contentType: mediaType };
    case "multipart": {
      const form = new FormData();
      for (const [name, part] of fields(mediaType, value)) form.append(name, part);
      for (const [name, bytes] of files(value)) form.append(name, new Blob([bytes]), name);
      return { body: form };
    }
    default:
      if (isBytes(value)) return { body: value, contentType: mediaType };
      return { body: typeof value === "string" ? value : JSON.stringify(value), contentType: mediaType };
  }
}

function fields(mediaType: string, value: unknown): [string, string][] {
  if (!isObject(value)) {
    throw new CallError("VALIDATION_ERROR", `Body is ${quote(value)}: wanted an object, to be sent as ${mediaType}`);
  }
  return Object.entries(value).flatMap(([name, field]) => {
    if (field === undefined || isBytes(field)) return [];
    return (Array.isArray(field) ? field : [field]).map((one): [string, string] => [
      name,
      typeof one === "object" && one !== null ? JSON.stringify(one) : String(one),
    ]);
  });
}

function files(value: unknown): [string, Uint8Array<ArrayBuffer>][] {
  return isObject(value) ? Object.entries(value).flatMap(([name, field]) => isBytes(field) ? [[name, field]] : []) : [];
}

function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array;
}
