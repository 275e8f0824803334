import type { JSX } from "preact";

/** Longer texts are cut, with their length said. */
const MAX = 20_000;

/** A value as indented JSON. */
export function JsonView({ value, label }: { readonly value: unknown; readonly label: string }): JSX.Element {
  const text = JSON.stringify(value, null, 2) ?? "undefined";
  const shown = text.length > MAX ? `${text.slice(0, MAX)}\n… ${text.length - MAX} more characters` : text;
  return <pre class="json" tabIndex={0} role="region" aria-label={label}>{shown}</pre>;
}
