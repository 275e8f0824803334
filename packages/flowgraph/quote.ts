/** A short rendering of any value for a message. */
export function quote(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint" || typeof value === "symbol" || value === undefined) return String(value);
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = "a value that is not JSON";
  }
  return text.length > 80 ? text.slice(0, 77) + "..." : text;
}
