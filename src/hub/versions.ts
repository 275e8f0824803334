import { hubLogger } from "../logger/mod.ts";
import { createVersions, type Versions, type WorkflowCatalog, type WorkflowVersion } from "../runs/mod.ts";
import { createRunStore, type Database } from "../storage/mod.ts";
import { DEFAULT_ORG } from "./keys.ts";

/** The version use cases over the hub's own parts. */
export function versionsOf(db: Database, catalog: WorkflowCatalog): Versions {
  return createVersions({ catalog, store: createRunStore(db), sharedOrg: DEFAULT_ORG });
}

/** Says in the log what a file that has just been saved means for runs under way. Never rejects. */
export async function logImpact(
  versions: Versions,
  deployed: WorkflowVersion,
  previous: WorkflowVersion | null,
): Promise<void> {
  const log = hubLogger("templates");
  try {
    const { live } = await versions.impact({ orgId: null, deployed, previous });
    for (const { version, runs, diff } of live) {
      log.info("{runs} live runs of workflow {workflow} stay on version {version}: {changes} against {deployed}", {
        runs,
        workflow: deployed.name,
        version,
        changes: diff === null
          ? "its plan depends on the input"
          : `${diff.added.length} nodes added, ${diff.removed.length} removed, ${diff.changed.length} changed`,
        deployed: deployed.version,
      });
    }
  } catch (error) {
    log.warn("Cannot tell which live runs a version concerns: {error}", { error: String(error) });
  }
}
