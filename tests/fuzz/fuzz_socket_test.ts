/** Messages to `/ws` of a real hub: each socket is answered or closed in time, and the hub is as well as before. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type HubProcess, startHubProcess } from "../e2e/_hub_process.ts";
import { type Frame, frame } from "./frame_arbitrary.ts";
import { fuzz, residentMiB, SEED } from "./fuzz_run.ts";

const SOCKETS = 200;
/** Until an answer or the close, in ms. */
const PATIENCE_MS = 8_000;
/**
 * Closed by the hub: done, too much nonsense, too large, too slow, or another socket took over. 0 and 1006 are what is seen of
 * a close that overtook what was still being sent.
 */
const CLOSES: readonly number[] = [0, 1006, 1000, 1001, 1003, 1005, 1008, 1009, 1013, 4000, 4001];

Deno.test("whatever is said on a socket is answered, or ends that socket and nothing else", async () => {
  await using hub = await startHubProcess();
  let frames = 0;
  let answered = 0;
  const sockets = fc.array(frame, { minLength: 1, maxLength: 20 });
  await fuzz("/ws", sockets, SOCKETS, async (sent) => {
    frames += sent.length;
    if (await converse(hub, sent)) answered++;
  });
  const before = await residentMiB(hub.pid);
  await fuzz("/ws", sockets, SOCKETS, async (sent) => void await converse(hub, sent));
  const after = await residentMiB(hub.pid);
  console.log(
    `seed ${SEED}: ${frames} frames on ${SOCKETS} sockets, ${answered} open at the end; ` +
      `resident ${before.toFixed(0)} MiB, after as many again ${after.toFixed(0)} MiB`,
  );
  assert.ok(answered > SOCKETS / 20, "hardly any socket stayed open");
  assert.ok(after - before < 120, `${(after - before).toFixed(0)} MiB more after the same frames again`);
  assert.equal((await hub.api("GET", "/ready")).status, 200);
  assert.doesNotMatch(hub.stderr(), /"level":"(error|fatal)"|could not be handled/);
});

/** Says everything on a socket of its own, then asks for something plain: true when it is answered, false when closed. */
async function converse(hub: HubProcess, frames: readonly Frame[]): Promise<boolean> {
  const socket = new WebSocket(`${hub.url.replace("http", "ws")}/ws`, ["alkdev.v1", `bearer.${hub.key}`]);
  const ended = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => ended.reject(new Error("The hub neither answers nor closes")), PATIENCE_MS);
  socket.onclose = ({ code }) => {
    if (CLOSES.includes(code)) ended.resolve(false);
    else ended.reject(new Error(`Closed with ${code}`));
  };
  socket.onmessage = ({ data }) => {
    if (String(data).includes('"requestId":"probe"')) ended.resolve(true);
  };
  socket.onopen = () => {
    for (const sent of frames) {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(typeof sent === "string" ? sent : new TextEncoder().encode(sent.binary));
    }
    socket.send(JSON.stringify(probe));
  };
  try {
    return await ended.promise;
  } finally {
    clearTimeout(timer);
    socket.onclose = null;
    socket.close();
  }
}

const probe = {
  type: "call.requested",
  id: "",
  payload: { requestId: "probe", operationId: "hub.list", input: { limit: 1 } },
} as const;
