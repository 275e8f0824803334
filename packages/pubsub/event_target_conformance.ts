import assert from "node:assert/strict";
import { type EnvelopeEvent, toEvent, type TypedEventTarget } from "./mod.ts";

/** Two ends of a transport, for {@linkcode eventTargetConformance}. Both may be the same target. */
export interface EventTargetPair {
  /** Events are dispatched here. */
  readonly from: TypedEventTarget;
  /** Listeners listen here. */
  readonly to: TypedEventTarget;
  /** Resolves when everything said so far by either end has arrived at the other. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The tests that every event target must pass. Each opens a pair of its own.
 *
 * @param test registers a test: `Deno.test` or `node:test`'s
 */
export function eventTargetConformance(
  name: string,
  test: (name: string, run: () => Promise<void>) => void,
  open: () => Promise<EventTargetPair>,
): void {
  const withPair = (what: string, run: (pair: EventTargetPair, heard: string[]) => Promise<void>) => {
    test(`${name} ${what}`, async () => {
      const pair = await open();
      try {
        await run(pair, []);
      } finally {
        await pair.close();
      }
    });
  };
  const send = (pair: EventTargetPair, type: string, id: string, payload: unknown) =>
    pair.from.dispatchEvent(toEvent({ type, id, payload }));
  const hear = (heard: string[], mark = "") => (event: EnvelopeEvent) => {
    heard.push(`${mark}${event.type}=${JSON.stringify(event.detail.payload)}`);
  };

  withPair("delivers the whole envelope under its composite topic", async (pair) => {
    const events: EnvelopeEvent[] = [];
    pair.to.addEventListener("news:1", (event) => events.push(event));
    await pair.settle();
    assert.equal(send(pair, "news", "1", { text: "ü\n" }), true);
    await pair.settle();
    assert.equal(events.length, 1);
    assert.equal(events[0]?.type, "news:1");
    assert.deepEqual(events[0]?.detail, { type: "news", id: "1", payload: { text: "ü\n" } });
  });

  withPair("delivers to exactly the topic, an empty id being one of its own", async (pair, heard) => {
    for (const topic of ["news:1", "news:", "new:s:1"]) pair.to.addEventListener(topic, hear(heard));
    await pair.settle();
    send(pair, "news", "2", 0);
    send(pair, "news", "", 1);
    send(pair, "news", "1", 2);
    await pair.settle();
    assert.deepEqual(heard, ["news:=1", "news:1=2"]);
  });

  withPair("keeps the order of what one sender says", async (pair, heard) => {
    pair.to.addEventListener("a:", hear(heard));
    pair.to.addEventListener("b:", hear(heard));
    await pair.settle();
    for (let n = 0; n < 50; n++) send(pair, n % 3 === 0 ? "a" : "b", "", n);
    await pair.settle();
    assert.deepEqual(heard, Array.from({ length: 50 }, (_, n) => `${n % 3 === 0 ? "a" : "b"}:=${n}`));
  });

  withPair("calls every listener of a topic, each once", async (pair, heard) => {
    const twice = hear(heard, "x ");
    pair.to.addEventListener("a:", twice);
    pair.to.addEventListener("a:", twice);
    pair.to.addEventListener("a:", hear(heard, "y "));
    pair.to.addEventListener("a:", { handleEvent: hear(heard, "z ") });
    await pair.settle();
    send(pair, "a", "", 1);
    await pair.settle();
    assert.deepEqual(heard, ["x a:=1", "y a:=1", "z a:=1"]);
  });

  withPair("stops calling a removed listener, and keeps calling the others", async (pair, heard) => {
    const removed = hear(heard, "removed ");
    pair.to.addEventListener("a:", removed);
    pair.to.addEventListener("a:", hear(heard));
    pair.to.removeEventListener("a:", removed);
    await pair.settle();
    send(pair, "a", "", 1);
    await pair.settle();
    assert.deepEqual(heard, ["a:=1"]);
  });

  withPair("delivers again after the last listener has gone and a new one has come", async (pair, heard) => {
    const first = hear(heard, "first ");
    pair.to.addEventListener("a:", first);
    pair.to.removeEventListener("a:", first);
    await pair.settle();
    send(pair, "a", "", 1);
    await pair.settle();
    pair.to.addEventListener("a:", hear(heard, "second "));
    await pair.settle();
    send(pair, "a", "", 2);
    await pair.settle();
    assert.deepEqual(heard, ["second a:=2"]);
  });

  withPair("takes null and unknown callbacks as no-ops", async (pair, heard) => {
    pair.to.addEventListener("a:", null);
    pair.to.removeEventListener("a:", null);
    pair.to.removeEventListener("a:", hear(heard));
    pair.to.addEventListener("a:", hear(heard));
    pair.to.removeEventListener("a:", hear(heard));
    await pair.settle();
    send(pair, "a", "", 1);
    await pair.settle();
    assert.deepEqual(heard, ["a:=1"]);
  });

  withPair("lets a listener remove itself while it is called", async (pair, heard) => {
    const once = () => {
      heard.push("once");
      pair.to.removeEventListener("a:", once);
    };
    pair.to.addEventListener("a:", once);
    pair.to.addEventListener("a:", hear(heard));
    await pair.settle();
    send(pair, "a", "", 1);
    send(pair, "a", "", 2);
    await pair.settle();
    assert.deepEqual(heard, ["once", "a:=1", "a:=2"]);
  });
}
