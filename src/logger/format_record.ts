import type { LogRecord } from "@logtape/logtape";
import { redact, redactText } from "./redact.ts";

/** One JSON line: `{time, level, logger, message, …properties}`. A property that has one of these names goes under `data`. */
export function formatJson(record: LogRecord): string {
  const head = {
    time: new Date(record.timestamp).toISOString(),
    level: record.level,
    logger: record.category.join("."),
    message: messageOf(record),
  };
  const properties = propertiesOf(record);
  const clash = Object.keys(properties).some((name) => Object.hasOwn(head, name));
  return JSON.stringify(clash ? { ...head, data: properties } : { ...head, ...properties });
}

/** One line for people: `12:00:00.000 info  hub.server  message  name=value`; an error's stack follows on lines of its own. */
export function formatPretty(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString().slice(11, 23);
  const stacks: string[] = [];
  const details = Object.entries(propertiesOf(record)).map(([name, value]) => {
    if (!isErrorLike(value)) {
      return `${name}=${typeof value === "string" ? quoteIfNeeded(value) : JSON.stringify(value)}`;
    }
    stacks.push(`\n  ${value.stack.replaceAll("\n", "\n  ")}`);
    return `${name}=${quoteIfNeeded(value.message)}`;
  });
  const line = [time, record.level.padEnd(7), record.category.join("."), messageOf(record), ...details].join("  ");
  // A line feed in a message must not look like another line.
  return escapeControls(line) + stacks.join("");
}

function messageOf(record: LogRecord): string {
  return redactText(
    record.message.map((part) => typeof part === "string" ? part : JSON.stringify(redact(part))).join(""),
  );
}

function propertiesOf(record: LogRecord): Readonly<Record<string, unknown>> {
  const clean = redact(record.properties);
  return typeof clean === "object" && clean !== null ? { ...clean } : {};
}

function isErrorLike(value: unknown): value is { readonly message: string; readonly stack: string } {
  return typeof value === "object" && value !== null && "message" in value && typeof value.message === "string" &&
    "stack" in value && typeof value.stack === "string";
}

function quoteIfNeeded(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function escapeControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
