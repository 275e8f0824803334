import type { Call } from "@alkdev/client";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { duration } from "../format.ts";

const ROW = 20;
const LABEL = 220;
const WIDTH = 900;
/** Rows drawn at first. */
const SHOWN = 60;

export interface WaterfallProps {
  readonly calls: readonly Call[];
  /** On the critical path. */
  readonly marked: ReadonlySet<string>;
  readonly onSelect: (key: string) => void;
}

/** Each call as a bar over time, in order of start; the critical path is marked. */
export function Waterfall({ calls, marked, onSelect }: WaterfallProps): JSX.Element {
  const [all, setAll] = useState(false);
  const own = calls.filter((call): call is Call & { nodeKey: string } => call.nodeKey !== null)
    .toSorted((a, b) => a.startedAt - b.startedAt);
  if (own.length === 0) return <p class="dim">No call has been made.</p>;
  const begin = own[0]!.startedAt;
  const end = Math.max(begin + 1, ...own.map(({ completedAt }) => completedAt ?? Date.now()));
  const shown = all ? own : own.slice(0, SHOWN);
  const x = (at: number): number => LABEL + (at - begin) / (end - begin) * (WIDTH - LABEL - 70);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Waterfall of calls">
      <svg
        class="waterfall"
        width={WIDTH}
        height={shown.length * ROW + 4}
        role="list"
        aria-label={`${own.length} calls`}
      >
        {shown.map((call, at) => {
          const took = (call.completedAt ?? end) - call.startedAt;
          const left = x(call.startedAt);
          const isMarked = marked.has(call.nodeKey);
          return (
            <g
              key={call.requestId}
              role="listitem"
              class={`bar is-${call.status}${isMarked ? " marked" : ""}`}
              transform={`translate(0 ${at * ROW})`}
              onClick={() => onSelect(call.nodeKey)}
            >
              <rect class="hit" width={WIDTH} height={ROW} />
              <text x={4} y={14}>{call.nodeKey.length > 30 ? `${call.nodeKey.slice(0, 29)}…` : call.nodeKey}</text>
              <rect
                class="span"
                x={left}
                y={4}
                width={Math.max(2, x(call.startedAt + took) - left)}
                height={12}
                rx={3}
              />
              <text class="took" x={x(call.startedAt + took) + 6} y={14}>{duration(took)}</text>
            </g>
          );
        })}
      </svg>
      {own.length > SHOWN && !all && <button type="button" onClick={() => setAll(true)}>Show all {own.length}</button>}
    </div>
  );
}
