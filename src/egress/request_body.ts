/** Bodies up to this are held, so that they can be sent with their length and again after a redirect. */
const HELD_BYTES = 1024 * 1024;

/** A request's body: what came of it first, and a reader of the rest where it is longer than what is held. */
export interface RequestBody {
  readonly head: Uint8Array;
  readonly rest: ReadableStreamDefaultReader<Uint8Array> | null;
}

/** Null: the request has none. */
export async function readRequestBody({ body }: Request): Promise<RequestBody | null> {
  if (body === null) return null;
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let done = false;
  while (!done && length <= HELD_BYTES) {
    const step = await reader.read();
    done = step.done;
    if (step.value === undefined) continue;
    chunks.push(step.value);
    length += step.value.byteLength;
  }
  const head = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    head.set(chunk, at);
    at += chunk.byteLength;
  }
  return { head, rest: done ? null : reader };
}
