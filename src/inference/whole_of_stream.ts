import { dataOf, SseSplitter } from "./sse_splitter.ts";

type Fields = Record<string, unknown>;

/** Fields whose pieces do not follow each other. */
const SET_ONCE: ReadonlySet<string> = new Set(["id", "type", "role"]);

/**
 * A stream that has come to its end, as the answer that it would have been in one piece: chunks of a chat put together, or the
 * response that the last event of its lifecycle holds.
 */
export function wholeOfStream(text: string): Readonly<Record<string, unknown>> {
  let answer: Fields = {};
  const choices = new Map<number, Fields>();
  for (const event of new SseSplitter().push(text)) {
    const data = dataOf(event);
    if (data === null || data === "[DONE]") continue;
    const chunk: unknown = JSON.parse(data);
    if (!isFields(chunk)) continue;
    const { response, choices: list, object: _object, ...head } = chunk;
    if (isFields(response)) answer = response;
    else if (Array.isArray(list)) {
      answer = { ...answer, ...head };
      for (const choice of list) addChoice(choices, choice);
    }
  }
  return choices.size === 0 ? answer : { ...answer, object: "chat.completion", choices: [...choices.values()] };
}

function addChoice(choices: Map<number, Fields>, choice: unknown): void {
  if (!isFields(choice)) return;
  const { index, delta, ...rest } = choice;
  const at = typeof index === "number" ? index : 0;
  const known = choices.get(at) ?? { index: at, message: {} };
  const message = isFields(known["message"]) ? known["message"] : {};
  choices.set(at, { ...known, ...rest, message: isFields(delta) ? added(message, delta) : message });
}

/** Strings one after the other, lists by the index that their members name. */
function added(known: Fields, more: Fields): Fields {
  const sum: Fields = { ...known };
  for (const [name, value] of Object.entries(more)) {
    const before = sum[name];
    if (typeof value === "string" && typeof before === "string" && !SET_ONCE.has(name)) sum[name] = before + value;
    else if (isFields(value) && isFields(before)) sum[name] = added(before, value);
    else if (Array.isArray(value)) sum[name] = addedList(Array.isArray(before) ? before : [], value);
    else if (value !== null || before === undefined) sum[name] = value;
  }
  return sum;
}

function addedList(known: readonly unknown[], more: readonly unknown[]): readonly unknown[] {
  const list = [...known];
  for (const value of more) {
    const at = isFields(value) && typeof value["index"] === "number" ? value["index"] : null;
    const found = at === null ? -1 : list.findIndex((one) => isFields(one) && one["index"] === at);
    const before = list[found];
    if (isFields(before) && isFields(value)) list[found] = added(before, value);
    else list.push(value);
  }
  return list;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
