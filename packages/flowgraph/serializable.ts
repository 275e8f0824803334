import { isSignal } from "./compile/prop_rules.ts";

/** Has the template neither functions nor signals, so that it survives as JSON? */
export function serializable(template: unknown): boolean {
  const todo: unknown[] = [template];
  for (let value = todo.pop();; value = todo.pop()) {
    if (typeof value === "function" || isSignal(value)) return false;
    if (typeof value === "object" && value !== null) { for (const part of Object.values(value)) todo.push(part); }
    if (todo.length === 0) return true;
  }
}
