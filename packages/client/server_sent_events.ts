/** One event of a stream. */
export interface ServerSentEvent {
  /** Empty: the event has none. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** The events of a `text/event-stream` body; comments and events without data are left out. */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  // A reader, not `for await`: not every browser can iterate a stream.
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      buffer += decoder.decode(read.value, { stream: true });
      for (let end = blockEnd(buffer); end !== null; end = blockEnd(buffer)) {
        const event = parseBlock(buffer.slice(0, end.at));
        buffer = buffer.slice(end.at + end.length);
        if (event !== null) yield event;
      }
    }
  } finally {
    // Who stops listening lets the connection go; a stream that broke has nothing to cancel.
    await reader.cancel().catch(() => {});
  }
}

function blockEnd(text: string): { readonly at: number; readonly length: number } | null {
  const match = /\r\n\r\n|\n\n|\r\r/.exec(text);
  return match === null ? null : { at: match.index, length: match[0].length };
}

function parseBlock(block: string): ServerSentEvent | null {
  let id = "", type = "message";
  const data: string[] = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") id = value;
    else if (field === "event") type = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? null : { id, type, data: data.join("\n") };
}
