import { COMPRESSED_FROM, gzipped, takesGzip } from "./compression.ts";
import { entityTag, isUnchanged } from "./entity_tag.ts";

/** What a handler answers; one function turns it into HTTP. */
export interface Reply {
  readonly status: number;
  /** Sent as JSON; undefined: no body. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** `body` is text of this type, sent as it is. */
  readonly contentType?: string;
}

/** 200 with a JSON body. */
export function ok(body: unknown): Reply {
  return { status: 200, body };
}

/** Any status with a JSON body. */
export function reply(status: number, body: unknown, headers?: Readonly<Record<string, string>>): Reply {
  return headers === undefined ? { status, body } : { status, body, headers };
}

/** A text body of some other type. */
export function text(body: string, contentType: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, body, contentType, headers: { "x-content-type-options": "nosniff", ...headers } };
}

/** How an answer is to be given. */
export interface ReplyOptions {
  readonly requestId: string;
  /** Of the request. */
  readonly headers: Headers;
  /** Whether it has a tag, by which a client that has it already is told so with 304. */
  readonly isTagged: boolean;
}

/** What stands for a reply whose route can be asked conditionally: it may be kept, but not used without asking. */
const REVALIDATED = { "cache-control": "private, no-cache", vary: "authorization, x-api-key, accept-encoding" };

/** The response of a reply. */
export function toResponse(answer: Reply | Response, { requestId, headers: asked, isTagged }: ReplyOptions): Response {
  if (answer instanceof Response) return answer;
  const { status, body, headers, contentType } = answer;
  if (body === undefined) return new Response(null, { status, headers: { "x-request-id": requestId, ...headers } });
  const content = contentType === undefined ? JSON.stringify(body) : String(body);
  const head = {
    "content-type": contentType ?? "application/json",
    "cache-control": "no-store",
    "x-request-id": requestId,
    ...headers,
  };
  if (isTagged && status === 200) return tagged(content, head, asked);
  return content.length < COMPRESSED_FROM
    ? new Response(content, { status, headers: head })
    : large(content, status, head, asked);
}

function tagged(content: string, head: Record<string, string>, asked: Headers): Response {
  const etag = entityTag(content);
  const kept: Record<string, string> = { ...head, ...REVALIDATED, etag };
  if (!isUnchanged(asked, etag)) return large(content, 200, kept, asked);
  const { "content-type": _type, ...rest } = kept;
  return new Response(null, { status: 304, headers: rest });
}

function large(content: string, status: number, head: Record<string, string>, asked: Headers): Response {
  const varied = { vary: "accept-encoding", ...head };
  if (content.length < COMPRESSED_FROM || !takesGzip(asked)) return new Response(content, { status, headers: varied });
  return new Response(gzipped(content), { status, headers: { ...varied, "content-encoding": "gzip" } });
}
