import type { EventStore, JSONRPCMessage } from "@modelcontextprotocol/server";

/** Messages kept for a client that comes back; older ones are gone. */
const MAX = 256;

interface Kept {
  readonly id: string;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
}

/** What a session has been sent of late, so that a client whose connection broke can go on where it was. */
export class EventMemory implements EventStore {
  #events: Kept[] = [];
  #count = 0;

  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    const id = `${streamId}_${++this.#count}`;
    this.#events.push({ id, streamId, message });
    if (this.#events.length > MAX) this.#events = this.#events.slice(-MAX / 2);
    return Promise.resolve(id);
  }

  getStreamIdForEventId(id: string): Promise<string | undefined> {
    return Promise.resolve(this.#events.find((event) => event.id === id)?.streamId);
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { readonly send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const from = this.#events.findIndex(({ id }) => id === lastEventId);
    const streamId = this.#events[from]?.streamId ?? "";
    for (const event of this.#events.slice(from + 1)) {
      // A priming event has no message.
      if (event.streamId === streamId && "jsonrpc" in event.message) await send(event.id, event.message);
    }
    return streamId;
  }
}
