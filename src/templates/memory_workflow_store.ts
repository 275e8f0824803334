import type { StoredWorkflow, WorkflowStore } from "./workflow_store.ts";

/** Keeps workflows as long as the process lives. */
export function createMemoryWorkflowStore(): WorkflowStore {
  // By organization and name; versions in the order of their saving, the latest last.
  const kept = new Map<string, Map<string, StoredWorkflow>>();
  const times = new Map<string, number>();
  const keyOf = (orgId: string | null, name: string) => JSON.stringify([orgId, name]);
  const latest = (versions: Map<string, StoredWorkflow>) => [...versions.values()].at(-1) ?? null;
  return {
    save(workflow) {
      const key = keyOf(workflow.orgId, workflow.name);
      const versions = kept.get(key) ?? new Map<string, StoredWorkflow>();
      versions.delete(workflow.version);
      versions.set(workflow.version, workflow);
      times.set(key + workflow.version, Date.now());
      kept.set(key, versions);
      return Promise.resolve();
    },
    get({ orgId, name, version }) {
      const versions = kept.get(keyOf(orgId, name));
      if (versions === undefined) return Promise.resolve(null);
      return Promise.resolve(version === undefined ? latest(versions) : versions.get(version) ?? null);
    },
    versions({ orgId, name, limit }) {
      const versions = [...kept.get(keyOf(orgId, name))?.values() ?? []].reverse().slice(0, limit);
      return Promise.resolve(
        versions.map(({ version }) => ({ version, savedAt: times.get(keyOf(orgId, name) + version) ?? 0 })),
      );
    },
    list({ orgId }) {
      const found: StoredWorkflow[] = [];
      for (const versions of kept.values()) {
        const last = latest(versions);
        if (last !== null && last.orgId === orgId) found.push(last);
      }
      return Promise.resolve(found.sort((a, b) => a.name < b.name ? -1 : 1));
    },
  };
}
