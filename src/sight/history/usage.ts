/** What a call has used. */
export interface Usage {
  readonly costMicros: number;
  readonly tokens: number;
}

/** The usage that an answer's meta tells, as `{usage: {inputTokens?, outputTokens?, costMicros?}}`; null: it tells none. */
export function usageOf(meta: object): Usage | null {
  const usage = "usage" in meta ? meta.usage : undefined;
  if (typeof usage !== "object" || usage === null) return null;
  const { inputTokens, outputTokens, costMicros } = usage as Readonly<Record<string, unknown>>;
  return { costMicros: amount(costMicros), tokens: amount(inputTokens) + amount(outputTokens) };
}

function amount(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}
