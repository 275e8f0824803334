import type { Match } from "./ports.ts";

/** Characters shown around a text. */
const AROUND = 40;

/** The parts of a stored event in which people look for something. */
export interface EventParts {
  readonly seq: number;
  readonly key: string | null;
  readonly parts: readonly { readonly where: Match["where"]; readonly value: unknown }[];
}

/** Where `text` stands in an event, once a part. */
export function matchEvent({ seq, key, parts }: EventParts, text: string): readonly Match[] {
  return parts.flatMap(({ where, value }) => {
    const excerpt = excerptOf(value, text);
    return excerpt === null ? [] : [{ where, key, seq, excerpt }];
  });
}

/** The text as it stands in `value`, with what is around it; null: it does not. */
export function excerptOf(value: unknown, text: string): string | null {
  if (value === undefined || value === null) return null;
  const whole = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  const needle = (typeof value === "string" ? text : jsonText(text)).toLowerCase();
  const at = whole.toLowerCase().indexOf(needle);
  if (at < 0) return null;
  const start = Math.max(0, at - AROUND);
  const end = Math.min(whole.length, at + needle.length + AROUND);
  return `${start > 0 ? "…" : ""}${whole.slice(start, end)}${end < whole.length ? "…" : ""}`.toWellFormed();
}

/** A text as it stands inside a JSON string. */
export function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
