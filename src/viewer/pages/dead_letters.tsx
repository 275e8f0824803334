import type { Page } from "@alkdev/client";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { shortId } from "../format.ts";
import { Action } from "../parts/action.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { to } from "../router.ts";
import { hub } from "../session.ts";
import { useLoad } from "../use_load.ts";

interface DeadLetter {
  readonly runId: string;
  readonly workflow: string;
  readonly nodeKey: string | null;
  readonly operationId: string | null;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly at: number;
}

/** Failed runs that nobody has dealt with, to be run again or discarded, many at once. */
export function DeadLetters(): JSX.Element {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { value, error, reload } = useLoad(
    "dead-letters",
    (signal) =>
      hub.value.transport.json<Page<DeadLetter>>("GET", "/api/dead-letters", { query: { limit: 100 }, signal }),
    3_000,
  );
  const items = value?.items ?? null;
  const ids = (items ?? []).map(({ runId }) => runId);
  const picked = ids.filter((id) => chosen.has(id));
  const act = (body: object) => async (): Promise<void> => {
    await hub.value.transport.json("POST", "/api/dead-letters/act", { body: { ids: picked, ...body } });
    setChosen(new Set());
    reload();
  };
  const toggle = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  return (
    <section>
      <h1>Dead letters</h1>
      <div class="buttons" role="toolbar" aria-label="Chosen runs">
        <button
          type="button"
          disabled={ids.length === 0}
          onClick={() => setChosen(new Set(picked.length === ids.length ? [] : ids))}
        >
          {picked.length === ids.length && ids.length > 0 ? "Choose none" : "Choose all"}
        </button>
        <Action kind="main" disabled={picked.length === 0} act={act({ action: "rerun", fromFailed: true })}>
          Rerun what failed ({picked.length})
        </Action>
        <Action disabled={picked.length === 0} act={act({ action: "rerun" })}>Rerun anew</Action>
        <Action
          kind="danger"
          disabled={picked.length === 0}
          confirm={`Discard ${picked.length} runs?`}
          act={act({ action: "discard" })}
        >
          Discard
        </Action>
      </div>
      <Table
        label="Dead letters"
        rows={items}
        error={error}
        keyOf={({ runId }) => runId}
        empty="No failed run waits to be dealt with."
        columns={[
          {
            title: "Choose",
            cell: ({ runId }) => (
              <input
                type="checkbox"
                aria-label={`Choose ${runId}`}
                checked={chosen.has(runId)}
                onChange={() => toggle(runId)}
              />
            ),
          },
          {
            title: "Run",
            cell: ({ runId }) => (
              <a href={to(["runs", runId])}>
                <code>{shortId(runId)}</code>
              </a>
            ),
          },
          { title: "Workflow", cell: ({ workflow }) => workflow },
          {
            title: "Where",
            cell: ({ nodeKey, operationId }) => (
              <>
                <code>{nodeKey ?? ""}</code> <span class="dim">{operationId ?? ""}</span>
              </>
            ),
          },
          {
            title: "Error",
            cell: ({ code, message }) => (
              <>
                <strong>{code}</strong> {message}
              </>
            ),
          },
          { title: "Failed", cell: ({ at }) => <Time at={at} /> },
        ]}
      />
    </section>
  );
}
