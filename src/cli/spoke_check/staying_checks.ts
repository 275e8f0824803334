import {
  answerTo,
  type Check,
  type CheckWorld,
  dataOf,
  demand,
  Failed,
  PATIENCE_MS,
  show,
  silence,
  stateWhen,
  waitState,
} from "./check.ts";
import type { CheckSession } from "./check_session.ts";

/** A spoke waits at most 10 s between two attempts, and the first ones are early. */
const RETURN_MS = 11_000;

/** A lost socket, and leaving. The order matters: each leaves the spoke as the next wants it. */
export const stayingChecks: readonly Check[] = [
  {
    section: "Staying",
    name: "comes back as itself",
    wanted: 'hub.register with "resume": the token, soon after its socket was cut',
    run: async (world) => {
      const cutAt = Date.now();
      const { session, token } = await cut(world);
      demand(session.registration?.["resume"] === token, `resume ${JSON.stringify(session.registration?.["resume"])}`);
      return `after ${Date.now() - cutAt} ms`;
    },
  },
  {
    section: "Staying",
    name: "goes on with what it has through a lost socket",
    wanted: "one start; the answer on the new socket, once it is asked for again there",
    needs: ["check.wait", "check.state"],
    run: async (world) => {
      const { started } = await waitState(world.session);
      const requestId = world.session.request("check.wait", { ms: 1_500 });
      await stateWhen(world.session, ({ running }) => running === 1);
      const { session } = await cut(world);
      session.request("check.wait", { ms: 1_500 }, { requestId });
      dataOf(await answerTo(session, requestId, 5_000));
      const after = await waitState(session);
      demand(after.started === started + 1, `started ${after.started - started} times`);
      return "one start";
    },
  },
  {
    section: "Staying",
    name: "says nothing of calls that are not asked for again",
    wanted: "silence on the new socket",
    needs: ["check.wait", "check.state"],
    run: async (world) => {
      const requestId = world.session.request("check.wait", { ms: 1_000 });
      await stateWhen(world.session, ({ running }) => running === 1);
      const { session } = await cut(world);
      await stateWhen(session, ({ running }) => running === 0);
      await silence();
      const [answer] = session.answersTo(requestId);
      if (answer !== undefined) throw new Failed(show(answer));
      return "silence";
    },
  },
  {
    section: "Working",
    name: "remembers its answers across sockets",
    wanted: "the answer given before, without a second start",
    needs: ["check.wait", "check.state"],
    run: async (world) => {
      const requestId = world.session.request("check.wait", { ms: 10 });
      const first = JSON.stringify(dataOf(await answerTo(world.session, requestId)));
      const { started } = await waitState(world.session);
      const { session } = await cut(world);
      session.request("check.wait", { ms: 10 }, { requestId });
      const second = JSON.stringify(dataOf(await answerTo(session, requestId)));
      const after = await waitState(session);
      demand(after.started === started, "started again");
      demand(first === second, `first ${first}, then ${second}`);
      return "the same answer";
    },
  },
  {
    section: "Staying",
    name: "hears of aborts that it missed",
    wanted: "the work stopped by call.aborted on the new socket",
    needs: ["check.wait", "check.state"],
    run: async (world) => {
      const requestId = world.session.request("check.wait", { ms: 60_000 });
      await stateWhen(world.session, ({ running }) => running === 1);
      const { session } = await cut(world);
      session.abort(requestId);
      const { running } = await stateWhen(session, (state) => state.running === 0);
      demand(running === 0, "the work goes on");
      return "stopped";
    },
  },
  {
    section: "Messages",
    name: "sends no arrays that were not agreed on",
    wanted: 'single envelopes on a socket whose registration was answered with "batch": false',
    needs: ["check.echo"],
    run: async (world) => {
      world.hub.refusesBatches = true;
      const { session } = await cut(world);
      world.hub.refusesBatches = false;
      const ids = Array.from({ length: 50 }, (_, value) => session.request("check.echo", { value }));
      for (const id of ids) dataOf(await answerTo(session, id));
      const array = session.oddities.find((odd) => odd.startsWith("an array"));
      if (array !== undefined) throw new Failed(array);
      return "50 single answers";
    },
  },
];

/** How a spoke leaves. Each of these is the last thing that a connected spoke does. */
export const leavingChecks: readonly Check[] = [
  {
    section: "Leaving",
    name: "drains on SIGTERM",
    wanted: "hub.drain, the answers it owes, close code 1000, the end of the process",
    needsProcess: true,
    run: async (world) => {
      if (world.process === null) throw new Failed("there is no process");
      const { process } = world;
      const seen = await leave(world, () => process.signal("SIGTERM"));
      const ended = await within(process.ended, 5_000);
      if (ended === null) throw new Failed("the process is still there after 5 s");
      return `${seen}, ${ended}`;
    },
  },
  {
    section: "Leaving",
    name: "drains when the hub asks for it",
    wanted: "hub.drain, the answers it owes, close code 1000",
    run: (world) => {
      return leave(world, () => world.session.send({ type: "hub.drain", id: "", payload: { spokeId: "check" } }));
    },
  },
];

async function leave({ session }: CheckWorld, tell: () => void): Promise<string> {
  const offers = session.registration?.["operations"];
  const canWait = JSON.stringify(offers ?? []).includes('"wait"') && JSON.stringify(offers).includes('"check"');
  const requestId = canWait ? session.request("check.wait", { ms: 600 }) : null;
  if (requestId !== null) await stateWhen(session, ({ running }) => running === 1);
  tell();
  const drained = await session.until(
    () => session.callsOf("hub.drain").length > 0 || session.closed !== null,
    PATIENCE_MS,
  );
  demand(session.callsOf("hub.drain").length > 0, drained === null ? "no hub.drain" : "it closed without hub.drain");
  await session.until(() => session.closed !== null, 2 * PATIENCE_MS);
  if (requestId !== null) demand(session.answersTo(requestId).length === 1, "a call under way was not answered");
  demand(session.closed !== null, "the socket is still open");
  demand(session.closed?.code === 1000, `close code ${session.closed?.code}`);
  return requestId === null ? "drained" : "drained, with its call answered";
}

/** Closes the spoke's socket and waits for it to register on another. @throws {Failed} when it does not */
async function cut(world: CheckWorld): Promise<{ readonly session: CheckSession; readonly token: string | undefined }> {
  const token = world.session.registered?.resume;
  const from = world.hub.sessions.length;
  world.session.close(1012, "The hub is shutting down");
  const session = await world.hub.session(from, RETURN_MS);
  if (session === null) throw new Failed(`it did not register again within ${RETURN_MS} ms`);
  if (session.refusal !== null) throw new Failed(`its registration was refused: ${session.refusal}`);
  world.session = session;
  return { session, token };
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  const late = new AbortController();
  try {
    return await Promise.race([promise, silence(ms, late.signal).then(() => null)]);
  } finally {
    late.abort();
  }
}
