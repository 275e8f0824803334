/** A call with its times, ms since the epoch. */
export interface TimedCall {
  readonly nodeKey: string | null;
  readonly startedAt: number;
  readonly completedAt: number | null;
}

/**
 * The calls that made the run as long as it is: from the one that ended last back, each time to the one that ended last before
 * it began. Keys of nodes.
 */
export function criticalPath(calls: readonly TimedCall[]): ReadonlySet<string> {
  const ended = calls.filter((call): call is TimedCall & { nodeKey: string; completedAt: number } =>
    call.nodeKey !== null && call.completedAt !== null
  ).sort((a, b) => a.completedAt - b.completedAt);
  const keys = new Set<string>();
  let before = Infinity;
  for (let at = ended.length - 1; at >= 0; at--) {
    const call = ended[at]!;
    if (call.completedAt > before) continue;
    keys.add(call.nodeKey);
    before = call.startedAt;
  }
  return keys;
}
