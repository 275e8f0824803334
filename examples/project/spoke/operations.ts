import type { SpokeOperation } from "@alkdev/spoke";
import { Type } from "@alkdev/typebox";

/** What `text.count` takes. */
export interface TextInput {
  readonly text: string;
}

/** What is between blanks. */
export function countWords({ text }: TextInput): { readonly words: number } {
  return { words: text.split(/\s+/).filter((word) => word !== "").length };
}

/** What this spoke offers: the hub calls it `text.count`. */
export const operations: readonly SpokeOperation[] = [{
  namespace: "text",
  name: "count",
  version: "1.0.0",
  type: "query",
  description: "Counts the words of a text.",
  inputSchema: Type.Object({ text: Type.String({ maxLength: 100_000 }) }),
  outputSchema: Type.Object({ words: Type.Integer() }),
  handler: (input) => countWords(input as TextInput), // checked against the schema before
}];
