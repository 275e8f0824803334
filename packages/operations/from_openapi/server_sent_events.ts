/** An event that grows past this many characters is not one that anybody means. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;

/** Takes the data of events out of text that arrives in pieces. Event names and ids are dropped. */
export class ServerSentEvents {
  #rest = "";
  #data: string[] = [];
  #length = 0;
  #started = false;

  /** The data of the events that this piece completes. @throws {RangeError} for an event of more than 16 Mi characters */
  push(piece: string): string[] {
    let text = this.#rest + piece;
    if (!this.#started && text !== "") {
      this.#started = true;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    // A carriage return at the end may be the first half of a line's end.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    const complete: string[] = [];
    for (const line of lines) this.#line(line, complete);
    if (this.#length + this.#rest.length > MAX_EVENT_LENGTH) {
      throw new RangeError(`A server-sent event has more than ${MAX_EVENT_LENGTH} characters`);
    }
    return complete;
  }

  /** The data of an event that only the end of the stream completes: its last carriage return was a line's whole end. */
  end(): string[] {
    return this.#rest.endsWith("\r") ? this.push("\n") : [];
  }

  #line(line: string, complete: string[]): void {
    if (line === "") {
      if (this.#data.length > 0) complete.push(this.#data.join("\n"));
      this.#data = [];
      this.#length = 0;
    } else if (line === "data" || line.startsWith("data:")) {
      const value = line.slice(5).replace(/^ /, "");
      this.#data.push(value);
      this.#length += value.length;
    }
  }
}

/** The data of a stream's events. What is incomplete at its end is dropped, as browsers do; ending the iteration cancels it. */
export async function* eventData(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const events = new ServerSentEvents();
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (!done) {
        yield* events.push(decoder.decode(value, { stream: true }));
        continue;
      }
      yield* events.push(decoder.decode());
      yield* events.end();
      return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
