/** What a handler answers; one function turns it into HTTP. */
export interface Reply {
  readonly status: number;
  /** Sent as JSON; undefined: no body. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
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
export function text(body: string, contentType: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, {
    headers: { "content-type": contentType, "x-content-type-options": "nosniff", ...headers },
  });
}

/** The response of a reply. */
export function toResponse(answer: Reply | Response, requestId: string): Response {
  if (answer instanceof Response) return answer;
  const { status, body, headers } = answer;
  if (body === undefined) return new Response(null, { status, headers: { "x-request-id": requestId, ...headers } });
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-request-id": requestId,
      ...headers,
    },
  });
}
