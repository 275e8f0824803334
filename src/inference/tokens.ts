/** How many tokens a text is in OpenAI's newer vocabulary; others are near. The vocabulary is loaded when first needed: it is large. */
export async function encode(text: string): Promise<number> {
  const { countTokens } = await import("gpt-tokenizer/encoding/o200k_base");
  // Nothing in a text is special: it is counted, not sent.
  return countTokens(text, { disallowedSpecial: new Set() });
}
