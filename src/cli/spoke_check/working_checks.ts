import {
  answerTo,
  ask,
  type Check,
  dataOf,
  demand,
  Failed,
  PATIENCE_MS,
  show,
  silence,
  Skipped,
  stateWhen,
  waitState,
} from "./check.ts";
import { isRecord, quote } from "./check_session.ts";

const BIG_CHARS = 1_000_000;
const MAX_AT_ONCE = 64;

/** Calls: answers, errors, messages of every kind. */
export const workingChecks: readonly Check[] = [
  {
    section: "Working",
    name: "answers a call",
    wanted: "one call.responded with {data, meta: {source, operationId, timestamp}}",
    needs: ["check.echo"],
    run: async ({ session }) => {
      const value = {
        text: "a",
        number: -1.5,
        flag: false,
        nothing: null,
        list: [1, [], {}],
        deep: { er: [{ x: 1 }] },
      };
      const answer = await answerTo(session, session.request("check.echo", { value }));
      const data = dataOf(answer);
      demand(equal(data, { value }), `data ${quote(JSON.stringify(data))}`);
      const { output } = answer.payload;
      const meta = isRecord(output) && isRecord(output["meta"]) ? output["meta"] : {};
      demand(meta["operationId"] === "check.echo", `meta ${quote(JSON.stringify(meta))}`);
      demand(
        Math.abs(Number(meta["timestamp"]) - Date.now()) < 600_000,
        `timestamp ${meta["timestamp"]} is not now in ms`,
      );
      return "the value given, and its meta";
    },
  },
  {
    section: "Working",
    name: "keeps Unicode whole",
    wanted: "the same text back, beyond ASCII and beyond 16 bits",
    needs: ["check.echo"],
    run: async ({ session }) => {
      const value = 'Grüße, 日本語, 🎉 𝔘𝔫𝔦 \u0000 \u2028 "quoted" \\ \n ك';
      const data = await ask(session, "check.echo", { value });
      demand(equal(data, { value }), quote(JSON.stringify(data)));
      return "the same text";
    },
  },
  {
    section: "Messages",
    name: "takes and sends large messages",
    wanted: `a text of ${BIG_CHARS} characters back`,
    needs: ["check.echo"],
    run: async ({ session }) => {
      const value = "0123456789".repeat(BIG_CHARS / 10);
      const answer = await answerTo(session, session.request("check.echo", { value }), 3 * PATIENCE_MS);
      demand(equal(dataOf(answer), { value }), "another text");
      return "the same text";
    },
  },
  {
    section: "Working",
    name: "says why a call failed",
    wanted: "call.error with the code and message of the failure",
    needs: ["check.fail"],
    run: async ({ session }) => {
      const [code, message] = ["CHECK_FAILED", "As asked: grün"];
      const answer = await answerTo(session, session.request("check.fail", { code, message }));
      const { payload } = answer;
      demand(answer.type === "call.error" && payload["code"] === code && payload["message"] === message, show(answer));
      return show(answer);
    },
  },
  {
    section: "Working",
    name: "refuses an operation that it does not offer",
    wanted: "call.error with the code OPERATION_NOT_FOUND",
    run: async ({ session }) => {
      const answer = await answerTo(session, session.request("check.no-such-operation", {}));
      demand(answer.type === "call.error" && answer.payload["code"] === "OPERATION_NOT_FOUND", show(answer));
      return show(answer);
    },
  },
  {
    section: "Messages",
    name: "passes over what it does not know",
    wanted: "an answer, as if unknown types and fields were not there",
    needs: ["check.echo"],
    run: async ({ session }) => {
      session.send({ type: "hub.future", id: "", payload: { anything: [1, 2] } });
      session.send({ type: "call.aborted", id: "", payload: { requestId: "never-asked-for" } });
      const { type, id, payload } = session.requestOf("check.echo", { value: 1 }, { future: { is: "here" } });
      session.send({ type, id, payload, sentBy: "a newer hub" });
      const data = dataOf(await answerTo(session, payload.requestId));
      demand(equal(data, { value: 1 }), quote(JSON.stringify(data)));
      return "an answer";
    },
  },
  {
    section: "Mistakes",
    name: "survives messages that make no sense",
    wanted: "the next call on the same socket answered",
    needs: ["check.echo"],
    run: async ({ session }) => {
      for (const text of ['{"not json', "7", "null", "{}", '{"type":"call.requested","id":""}', '"text"', "[7,null]"]) {
        session.raw(text);
      }
      session.raw('{"type":"call.requested","id":"","payload":{"requestId":5}}');
      session.raw(new Uint8Array([0xff, 0, 0xfe]).buffer);
      const data = await ask(session, "check.echo", { value: "still here" });
      demand(equal(data, { value: "still here" }), quote(JSON.stringify(data)));
      return "an answer";
    },
  },
  {
    section: "Working",
    name: "reports progress and logs",
    wanted: "hub.progress and hub.log with the requestId of the call, before its answer",
    needs: ["check.wait"],
    run: async ({ session }) => {
      const requestId = session.request("check.wait", { ms: 50 });
      dataOf(await answerTo(session, requestId));
      for (const operationId of ["hub.progress", "hub.log"]) {
        const said = session.callsOf(operationId).filter(({ payload: { input } }) =>
          isRecord(input) && input["requestId"] === requestId
        );
        demand(said.length > 0, `no ${operationId} {requestId: "${requestId}"}`);
        const input = said[0]?.payload["input"];
        const isWhole = isRecord(input) &&
          (operationId === "hub.progress" ? "value" in input : typeof input["message"] === "string");
        demand(isWhole, `${operationId} ${quote(JSON.stringify(input))}`);
      }
      return "both";
    },
  },
  {
    section: "Working",
    name: "works on several calls at once",
    wanted: "as many as its maxConcurrency, side by side",
    needs: ["check.wait", "check.state"],
    run: async ({ session }) => {
      const most = Number(session.registration?.["maxConcurrency"] ?? 16);
      // One place is for the question how many there are.
      const count = Math.min(most - 1, MAX_AT_ONCE);
      if (count < 2) throw new Skipped(`its maxConcurrency is ${most}`);
      const ids = Array.from({ length: count }, () => session.request("check.wait", { ms: 700 }));
      const state = await stateWhen(session, ({ running }) => running >= count, 1_000);
      for (const id of ids) dataOf(await answerTo(session, id));
      demand(state.running === count, `${state.running} of ${count} at once`);
      return `${count} at once`;
    },
  },
  {
    section: "Working",
    name: "stops an aborted call",
    wanted: "the work stopped, and no answer",
    needs: ["check.wait", "check.state"],
    run: async ({ session }) => {
      const requestId = session.request("check.wait", { ms: 60_000 });
      await stateWhen(session, ({ running }) => running === 1);
      session.abort(requestId);
      const { running } = await stateWhen(session, (state) => state.running === 0);
      demand(running === 0, "the work goes on");
      await silence();
      const [answer] = session.answersTo(requestId);
      if (answer !== undefined) throw new Failed(show(answer));
      return "stopped without an answer";
    },
  },
  {
    section: "Working",
    name: "forgets an aborted call",
    wanted: "the same requestId started anew",
    needs: ["check.wait", "check.state"],
    run: async ({ session }) => {
      const { started } = await waitState(session);
      const requestId = session.request("check.wait", { ms: 60_000 });
      await stateWhen(session, ({ running }) => running === 1);
      session.abort(requestId);
      session.request("check.wait", { ms: 10 }, { requestId });
      dataOf(await answerTo(session, requestId));
      const after = await stateWhen(session, ({ running }) => running === 0);
      demand(after.started === started + 2, `started ${after.started - started} times`);
      return "started twice";
    },
  },
  {
    section: "Working",
    name: "ends at the deadline",
    wanted: "the work stopped, with TIMEOUT or no answer at all",
    needs: ["check.wait", "check.state"],
    run: async ({ session }) => {
      const deadline = Date.now() + 250;
      const requestId = session.request("check.wait", { ms: 60_000 }, { deadline });
      await silence(deadline - Date.now());
      session.abort(requestId);
      const { running } = await stateWhen(session, (state) => state.running === 0);
      demand(running === 0, "the work goes on");
      const [answer] = session.answersTo(requestId);
      if (answer === undefined) return "stopped without an answer";
      demand(answer.type === "call.error" && answer.payload["code"] === "TIMEOUT", show(answer));
      return show(answer);
    },
  },
  {
    section: "Working",
    name: "does the same request once while it runs",
    wanted: "one start and one answer for two requests with one requestId",
    needs: ["check.wait", "check.state"],
    run: async ({ session }) => {
      const { started } = await waitState(session);
      const requestId = session.request("check.wait", { ms: 200 });
      session.request("check.wait", { ms: 200 }, { requestId });
      dataOf(await answerTo(session, requestId));
      await silence();
      const after = await waitState(session);
      const answers = session.answersTo(requestId).length;
      demand(after.started === started + 1, `started ${after.started - started} times`);
      demand(answers === 1, `${answers} answers`);
      return "one start, one answer";
    },
  },
  {
    section: "Working",
    name: "answers the same request again from memory",
    wanted: "the same answer, and no second start",
    needs: ["check.wait", "check.state"],
    run: async ({ session }) => {
      const { started } = await waitState(session);
      const requestId = session.request("check.wait", { ms: 10 });
      const first = await answerTo(session, requestId);
      session.request("check.wait", { ms: 10 }, { requestId });
      const second = await session.until(() => session.answersTo(requestId)[1], PATIENCE_MS);
      if (second === null) throw new Failed("no second answer");
      const after = await waitState(session);
      demand(after.started === started + 1, `started ${after.started - started} times`);
      demand(equal(dataOf(first), dataOf(second)), `first ${show(first)}, then ${show(second)}`);
      return "the same answer";
    },
  },
];

/** Subscriptions and arrays. */
export const streamChecks: readonly Check[] = [
  {
    section: "Messages",
    name: "streams in order, then completes",
    wanted: "call.responded for 0 to 199 in order, then call.completed",
    needs: ["check.count"],
    run: async ({ session }) => {
      const requestId = session.request("check.count", { to: 200, ms: 0 });
      const end = await session.until(
        () => session.answersTo(requestId).find(({ type }) => type !== "call.responded"),
        2 * PATIENCE_MS,
      );
      const answers = session.answersTo(requestId);
      if (end === null) throw new Failed(`${answers.length} chunks and no end`);
      demand(end.type === "call.completed" && end === answers.at(-1), show(end));
      const values = answers.slice(0, -1).map(dataOf);
      const wrong = values.findIndex((value, index) => value !== index);
      demand(wrong < 0, `${JSON.stringify(values[wrong])} at place ${wrong}`);
      demand(values.length === 200, `${values.length} chunks`);
      return "200 chunks and the end";
    },
  },
  {
    section: "Messages",
    name: "ends a stream of nothing",
    wanted: "call.completed alone",
    needs: ["check.count"],
    run: async ({ session }) => {
      const answer = await answerTo(session, session.request("check.count", { to: 0, ms: 0 }));
      demand(answer.type === "call.completed", show(answer));
      return answer.type;
    },
  },
  {
    section: "Messages",
    name: "stops an aborted stream",
    wanted: "no more chunks, and no end",
    needs: ["check.count"],
    run: async ({ session }) => {
      const requestId = session.request("check.count", { to: 1_000_000, ms: 20 });
      const some = await session.until(() => session.answersTo(requestId).length >= 3, PATIENCE_MS);
      demand(some === true, `${session.answersTo(requestId).length} chunks within ${PATIENCE_MS} ms`);
      session.abort(requestId);
      await silence();
      const count = session.answersTo(requestId).length;
      await silence();
      const more = session.answersTo(requestId).length - count;
      demand(more === 0, `${more} more`);
      const last = session.answersTo(requestId).at(-1);
      demand(last?.type === "call.responded", last === undefined ? "nothing" : show(last));
      return "silence";
    },
  },
  {
    section: "Messages",
    name: "reads arrays once both have said batch",
    wanted: "every call of an array answered; an empty array ignored",
    needs: ["check.echo"],
    run: async ({ session }) => {
      if (session.registered?.batch !== true) throw new Skipped("it does not say batch");
      const requests = Array.from({ length: 50 }, (_, value) => session.requestOf("check.echo", { value }));
      session.raw("[]");
      session.send(...requests);
      for (const [value, { payload: { requestId } }] of requests.entries()) {
        const data = dataOf(await answerTo(session, requestId));
        demand(equal(data, { value }), quote(JSON.stringify(data)));
      }
      const batched = requests.some(({ payload: { requestId } }) => session.answersTo(requestId)[0]?.batched);
      return `50 answers, ${batched ? "in arrays" : "one by one"}`;
    },
  },
];

function equal(left: unknown, right: unknown): boolean {
  return canonical(left) === canonical(right);
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, member: unknown) =>
      isRecord(member)
        ? Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)))
        : member,
  ) ?? "";
}
