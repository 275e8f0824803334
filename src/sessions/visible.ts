import type { Message } from "./session.ts";

/**
 * The messages that count, oldest first: one with a `retraction` takes back those from a seq on that came before it, as when a
 * question is put differently or asked again. They stay in the store, and what they have cost stays spent.
 */
export function visible(messages: readonly Message[]): readonly Message[] {
  const kept: Message[] = [];
  for (const message of messages) {
    const retraction = message.parts.find((part) => part.type === "retraction");
    if (retraction === undefined) kept.push(message);
    else while ((kept.at(-1)?.seq ?? 0) >= retraction.fromSeq) kept.pop();
  }
  return kept;
}
