import { isSignal } from "./compile/prop_rules.ts";

/** Has the template neither functions nor signals, so that it survives as JSON? */
export function serializable(template: unknown): boolean {
  const seen = new Set<object>();
  const todo: unknown[] = [template];
  while (todo.length > 0) {
    const value = todo.pop();
    if (typeof value === "function" || isSignal(value)) return false;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const part of Object.values(value)) todo.push(part);
  }
  return true;
}
