/** The conditions the simulation writes, evaluated by hand. */
import type { Json } from "@alkdev/flowgraph";
import type { ModelFrame } from "./instance.ts";
import { bound, look, type Scope, statusOfKey } from "./values.ts";

/** True, false, or null where the condition cannot be evaluated. */
export function holds(scope: Scope, frame: ModelFrame, text: string): boolean | null {
  if (text === "true" || text === "false") return text === "true";
  const status = /^status\.(\w+) (==|!=) "(\w+)"$/.exec(text);
  if (status) return (statusOfKey(scope, frame, status[1]!) === status[3]) === (status[2] === "==");
  const flag = /^input\.flag$/.exec(text);
  if (flag) return wantBoolean(look(scope, frame, text));
  const number = /^nodes\.(\w+)\.n > (\d+)$/.exec(text);
  if (number) {
    const value = look(scope, frame, `nodes.${number[1]}.n`);
    return typeof value === "number" ? value > Number(number[2]) : null;
  }
  const turn = /^(\w+) < (\d+)$/.exec(text);
  if (turn) return Number(bound(frame, turn[1]!)) < Number(turn[2]);
  throw new Error(`The model cannot read condition "${text}"`);
}

function wantBoolean(value: Json): boolean | null {
  return typeof value === "boolean" ? value : null;
}

/** Keys a condition looks at for their failure. */
export function watched(text: string): readonly string[] {
  return [...text.matchAll(/\bstatus\.(\w+)/g)].map((match) => match[1]!);
}
