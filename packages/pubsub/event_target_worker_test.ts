import assert from "node:assert/strict";
import { Worker as NodeWorker } from "node:worker_threads";
import { eventTargetConformance } from "./event_target_conformance.ts";
import { createWorkerHostEventTarget, createWorkerThreadEventTarget } from "./event_target_worker.ts";
import { createPubSub, toEvent, type TypedEventTarget } from "./mod.ts";

const event = (type: string, payload: unknown = null) => toEvent({ type, id: "", payload });

/** Resolves with the payload of the next event of the topic, `send` being called when it is listened for. */
function heard(to: TypedEventTarget, topic: string, send: () => void): Promise<unknown> {
  return new Promise((resolve) => {
    const listener = ({ detail }: { detail: { payload: unknown } }) => {
      to.removeEventListener(topic, listener);
      resolve(detail.payload);
    };
    to.addEventListener(topic, listener);
    send();
  });
}

for (const [name, from, to] of [["host to thread", 0, 1], ["thread to host", 1, 0]] as const) {
  eventTargetConformance(`MessageChannel ${name}`, Deno.test, () => {
    const { port1, port2 } = new MessageChannel();
    const ends = [createWorkerHostEventTarget(port1), createWorkerThreadEventTarget(port2)] as const;
    const [near, far] = [ends[from], ends[to]];
    return Promise.resolve({
      from: near,
      to: far,
      // Each direction keeps its order.
      settle: async () => {
        await heard(far, "ping:", () => near.dispatchEvent(event("ping")));
        await heard(near, "pong:", () => far.dispatchEvent(event("pong")));
      },
      close: () => {
        port1.close();
        port2.close();
        return Promise.resolve();
      },
    });
  });
}

/** A worker that dispatches, at its own end, the envelope in each `say` it hears. */
const SAYS_BACK = `
  import { createWorkerThreadEventTarget } from ${JSON.stringify(import.meta.resolve("./event_target_worker.ts"))};
  import { toEvent } from ${JSON.stringify(import.meta.resolve("./mod.ts"))};
  const target = createWorkerThreadEventTarget();
  target.addEventListener("say:", ({ detail }) => target.dispatchEvent(toEvent(detail.payload)));
  target.dispatchEvent(toEvent({ type: "ready", id: "", payload: null }));
`;

eventTargetConformance("Worker there and back", Deno.test, async () => {
  const url = URL.createObjectURL(new Blob([SAYS_BACK], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  const host = createWorkerHostEventTarget(worker);
  await heard(host, "ready:", () => {});
  URL.revokeObjectURL(url);
  const from: TypedEventTarget = {
    addEventListener: () => assert.fail("not used"),
    removeEventListener: () => assert.fail("not used"),
    dispatchEvent: ({ detail }) => host.dispatchEvent(event("say", detail)),
  };
  return {
    from,
    to: host,
    settle: async () => void await heard(host, "settled:", () => from.dispatchEvent(event("settled"))),
    close: () => {
      worker.terminate();
      return Promise.resolve();
    },
  };
});

Deno.test("createWorkerHostEventTarget() takes a worker of node:worker_threads, and clones what JSON cannot carry", async () => {
  const script = `
    const { parentPort } = require("node:worker_threads");
    parentPort.on("message", ({ payload }) => parentPort.postMessage({ type: "sum", id: "1", payload: payload.get("n") }));
  `;
  const worker = new NodeWorker(script, { eval: true });
  try {
    const pubsub = createPubSub({ eventTarget: createWorkerHostEventTarget(worker) });
    const sums = pubsub.subscribe("sum", "1");
    const first = sums.next();
    pubsub.publish("add", "", new Map([["n", 2n]]));
    assert.equal((await first).value?.payload, 2n);
    await sums.return();
  } finally {
    await worker.terminate();
  }
});

Deno.test("createWorkerHostEventTarget() passes over messages that are no envelopes, and control messages", () => {
  let post: (message: unknown) => void = () => assert.fail("not listened to");
  const invalid: unknown[] = [];
  const target = createWorkerHostEventTarget({
    postMessage: () => {},
    on: (_event, listener) => post = listener,
  }, { onInvalid: (message) => invalid.push(message) });
  for (const topic of ["a:", "__subscribe:"]) {
    target.addEventListener(topic, ({ detail }) => assert.equal(detail.payload, 1));
  }
  for (const message of ["a:", null, { type: "a" }, { type: "__subscribe", id: "", payload: 2 }]) post(message);
  assert.deepEqual(invalid, ["a:", null, { type: "a" }]);
});

Deno.test("createWorkerHostEventTarget() throws where a payload cannot be cloned", () => {
  const { port1, port2 } = new MessageChannel();
  const target = createWorkerHostEventTarget(port1);
  assert.throws(() => target.dispatchEvent(event("a", () => {})), { name: "DataCloneError" });
  port1.close();
  port2.close();
});

Deno.test("createWorkerThreadEventTarget() throws outside a worker without a port", () => {
  assert.throws(() => createWorkerThreadEventTarget(), TypeError);
});
