import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { JsonField } from "../forms/schema_form.tsx";
import { Action } from "../parts/action.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { go } from "../router.ts";
import { hub } from "../session.ts";
import type { FullRun } from "./run.tsx";

/** What can be done to a run as it is. `selected`: the node from which a rerun may begin. */
export function RunActions(
  { run, selected }: { readonly run: FullRun; readonly selected: string | null },
): JSX.Element {
  const [forking, setForking] = useState(false);
  const handle = hub.value.handle(run.id);
  const isLive = run.completedAt === null;
  const open = (next: { readonly id: string }): void => go(["runs", next.id]);
  const from = selected === null ? {} : { from: [selected] };
  return (
    <div class="buttons">
      {isLive && run.status !== "paused" && <Action act={() => handle.pause()}>Pause</Action>}
      {run.status === "paused" && <Action kind="main" act={() => handle.resume()}>Resume</Action>}
      {isLive && (
        <Action
          kind="danger"
          confirm="Abort this run and all that descends from it?"
          act={() => handle.abort()}
        >
          Abort
        </Action>
      )}
      {!isLive && <Action act={async () => open(await handle.rerun())}>Rerun</Action>}
      {run.status === "failed" && (
        <Action act={async () => open(await handle.rerun({ fromFailed: true }))}>Rerun what failed</Action>
      )}
      {!isLive && selected !== null && (
        <Action act={async () => open(await handle.rerun(from))}>Rerun from {selected}</Action>
      )}
      <button type="button" onClick={() => setForking(true)}>Fork…</button>
      {forking && (
        <ForkDialog
          input={run.input}
          title={selected === null ? "Fork with another input" : `Fork from ${selected}`}
          onClose={() => setForking(false)}
          fork={async (input) => open(await handle.fork({ input, ...from }))}
        />
      )}
    </div>
  );
}

function ForkDialog(
  { input, title, onClose, fork }: {
    readonly input: unknown;
    readonly title: string;
    readonly onClose: () => void;
    readonly fork: (input: unknown) => Promise<void>;
  },
): JSX.Element {
  const [edited, setEdited] = useState(input);
  return (
    <Dialog title={title} onClose={onClose}>
      <p class="dim">A new run takes over what had completed before; this one stays as it is.</p>
      <JsonField label="Input (JSON)" value={input} onChange={setEdited} />
      <div class="buttons">
        <Action
          kind="main"
          act={async () => {
            await fork(edited);
            onClose();
          }}
        >
          Fork
        </Action>
        <button type="button" onClick={onClose}>Cancel</button>
      </div>
    </Dialog>
  );
}
