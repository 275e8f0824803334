import type { OrphanRuns } from "../runs/mod.ts";
import type { Database } from "./database.ts";

/** Children that live on though their parent has been aborted. */
export function createOrphanRuns(db: Pick<Database, "query">): OrphanRuns {
  const ids = async (text: string, values: readonly unknown[]) =>
    (await db.query<{ readonly id: string }>(text, values)).map(({ id }) => id);
  return {
    below: (runId) =>
      ids("select r.id from runs r join live_runs l on l.run_id = r.id where r.parent_run_id = $1", [runId]),
    list: (limit) =>
      ids(
        `select r.id from live_runs l join runs r on r.id = l.run_id join runs p on p.id = r.parent_run_id
         where p.status = 'aborted' limit $1`,
        [limit],
      ),
  };
}
