import type { Engine } from "../../engine/mod.ts";
import { hubLogger } from "../logger/mod.ts";
import {
  Approvals,
  DeadLetters,
  type DeadLetterStore,
  type FoldReader,
  type Runs,
  type RunsOptions,
} from "../runs/mod.ts";
import { controlRoutes, type Route } from "../server/mod.ts";
import { createAskedSignals, type Database } from "../storage/mod.ts";

/** What people do about many runs at once: dead letters, bulk actions, open approvals. */
export function openControl(
  params: {
    readonly db: Database;
    readonly engine: Engine;
    readonly runs: Runs;
    readonly reader: FoldReader;
    readonly letters: DeadLetterStore;
  },
): readonly Route[] {
  const { db, engine, runs, reader, letters } = params;
  return controlRoutes({
    runs,
    deadLetters: new DeadLetters({ store: letters, runs }),
    approvals: new Approvals({ asked: createAskedSignals(db), engine, reader }),
  });
}

/** A failed run that is run again has been dealt with, whoever asked for it. */
export function dealtWith(letters: DeadLetterStore): NonNullable<RunsOptions["onRerun"]> {
  const log = hubLogger("control");
  return async ({ caller, runId, newRunId }) => {
    try {
      const by = caller.identity.id;
      await letters.handle({ orgId: caller.orgId, runIds: [runId], handled: "rerun", by, newRunId });
    } catch (error) {
      // The new run has started: that it is still on the list can be seen and mended.
      log.warn("Run {runId} stays on the list of dead letters: {error}", { runId, error: String(error) });
    }
  };
}
