import type { JSX } from "preact";
import { instant, relative } from "../format.ts";

/** An instant, as long ago; the whole of it on hover. Null: a dash. */
export function Time({ at }: { readonly at: number | null | undefined }): JSX.Element {
  if (at === null || at === undefined) return <span class="dim">–</span>;
  return <time dateTime={new Date(at).toISOString()} title={instant(at)}>{relative(at)}</time>;
}
