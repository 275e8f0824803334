import type { Style } from "./style.ts";
import { safeText } from "./text_width.ts";

/** A record of the HTTP API as lines of name and value, for people: times as instants, what is null left out. */
export function recordText(record: object, style: Style): string {
  const fields = Object.entries(record).filter(([, value]) => value !== null && value !== undefined);
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${safeText(valueText(name, value))}`)
    .join("\n");
}

function valueText(name: string, value: unknown): string {
  if (typeof value === "number" && isTime(name)) return new Date(value).toISOString();
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Fields of the API that are ms since the epoch are called so. */
function isTime(name: string): boolean {
  return /At$|Since$|Heartbeat$/.test(name);
}
