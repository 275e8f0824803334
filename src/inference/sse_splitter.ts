/** Largest event that is taken; a provider that sends more is broken. */
const MAX_EVENT = 16 * 1024 * 1024;

/** Cuts a stream of server-sent events into its events, as they came, with the blank line at their end. */
export class SseSplitter {
  #rest = "";

  /** The events that are complete. @throws {Error} when one grows without end */
  push(text: string): readonly string[] {
    this.#rest = this.#rest === "" ? text : this.#rest + text;
    const events: string[] = [];
    let from = 0;
    for (;;) {
      const end = endOfEvent(this.#rest, from);
      if (end === -1) break;
      events.push(this.#rest.slice(from, end));
      from = end;
    }
    if (from > 0) this.#rest = this.#rest.slice(from);
    if (this.#rest.length > MAX_EVENT) throw new Error(`A server-sent event is longer than ${MAX_EVENT} characters`);
    return events;
  }

  /** What came after the last complete event. */
  get rest(): string {
    return this.#rest;
  }
}

function endOfEvent(text: string, from: number): number {
  const plain = text.indexOf("\n\n", from);
  const other = text.indexOf("\r\n\r\n", from);
  if (other !== -1 && (plain === -1 || other < plain)) return other + 4;
  return plain === -1 ? -1 : plain + 2;
}

/** The data of an event, its lines joined; null: it has none (a comment, a ping). */
export function dataOf(event: string): string | null {
  if (event.startsWith("data: ") && event.indexOf("\n") === event.length - 2) return event.slice(6, -2);
  const lines = event.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  return lines.length === 0 ? null : lines.map((line) => line.slice(line[5] === " " ? 6 : 5)).join("\n");
}
