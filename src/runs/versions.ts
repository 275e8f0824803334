import { diffPlans, type Json, type PlanDiff } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import type { RunStore, WorkflowCatalog, WorkflowVersion } from "./ports.ts";
import { resolveWorkflow } from "./start_run.ts";
import type { DeployImpact, Versions, VersionView } from "./version_ports.ts";

/** Versions a deployment is compared with at most: more than so many with live runs are only counted. */
const MAX_DIFFS = 10;

/** The version use cases. */
export function createVersions(
  { catalog, store, sharedOrg }: {
    readonly catalog: WorkflowCatalog;
    readonly store: RunStore;
    /** Whose versions are looked up where no organization is named: those of files are all that counts then. */
    readonly sharedOrg: string;
  },
): Versions {
  return {
    async list({ caller, name }) {
      const { orgId } = caller;
      const known = await catalog.versions({ orgId, name });
      const live = new Map(
        (await store.liveVersions({ orgId, workflow: name })).map(({ version, runs }) => [version, runs]),
      );
      const views: VersionView[] = known.map((one) => ({
        ...one,
        available: true,
        liveRuns: live.get(one.version) ?? 0,
      }));
      for (const [version, liveRuns] of live) {
        if (known.some((one) => one.version === version)) continue;
        views.push({ version, current: false, available: false, deployedAt: null, liveRuns });
      }
      if (views.length === 0) await resolveWorkflow(catalog, { workflow: name, caller }); // says what is near
      return views;
    },
    async diff({ caller, name, from, to }) {
      const before = await resolveWorkflow(catalog, { workflow: name, version: from, caller });
      const after = await resolveWorkflow(catalog, {
        workflow: name,
        ...(to !== undefined && { version: to }),
        caller,
      });
      return {
        workflow: name,
        from: before.version,
        to: after.version,
        inputSchemaChanged: !same(before.inputSchema, after.inputSchema),
        outputSchemaChanged: !same(before.outputSchema, after.outputSchema),
        diff: diffOf(before, after),
      };
    },
    async impact({ orgId, deployed, previous }): Promise<DeployImpact> {
      const others = (await store.liveVersions({ orgId, workflow: deployed.name }))
        .filter(({ version }) => version !== deployed.version);
      const live = [];
      for (const [i, { version, runs }] of others.entries()) {
        const old = i < MAX_DIFFS
          ? await catalog.get({ orgId: orgId ?? sharedOrg, name: deployed.name, version })
          : null;
        live.push({ version, runs, diff: old === null ? null : diffOf(old, deployed) });
      }
      return { previous: previous === null || previous.version === deployed.version ? null : previous.version, live };
    },
  };
}

/** Null: a plan depends on the input, so that there is none to compare. */
function diffOf(before: WorkflowVersion, after: WorkflowVersion): PlanDiff | null {
  try {
    const sameFunctions = before.version === after.version;
    return diffPlans(before.plan({}).plan, after.plan({}).plan, { sameFunctions });
  } catch (error) {
    if (error instanceof CallError) return null;
    throw error;
  }
}

function same(a: Json | null, b: Json | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
