import { type EventLog, isTerminalType, type RunEvent } from "../../engine/mod.ts";
import type { Terminal } from "../../engine/mod.ts";

const PAGE = 1000;

export function isTerminal(event: RunEvent): event is Terminal {
  return isTerminalType(event.type);
}

/** The terminal event of a run, by its log; null while it has not ended, undefined when there is no such run. */
export async function outcomeOf(log: EventLog, runId: string): Promise<Terminal | null | undefined> {
  let last: RunEvent | undefined;
  for (let after = 0;;) {
    const page = await log.read({ runId, after, limit: PAGE });
    last = page[page.length - 1] ?? last;
    if (last === undefined) return undefined;
    if (page.length < PAGE) return isTerminal(last) ? last : null;
    after = last.seq;
  }
}
