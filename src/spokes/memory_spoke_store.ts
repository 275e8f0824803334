import type { SpokeRecord, SpokeStore } from "./ports.ts";

/** Keeps spokes as long as the process lives. */
export function createMemorySpokeStore(): SpokeStore {
  const records = new Map<string, { readonly hubId: string; readonly record: SpokeRecord }>();
  return {
    load({ hubId }) {
      return Promise.resolve(
        [...records.values()].filter((entry) => entry.hubId === hubId).map(({ record }) => record),
      );
    },
    connected({ hubId, record }) {
      records.set(record.id, { hubId, record });
      return Promise.resolve();
    },
    disconnected({ spokeId }) {
      records.delete(spokeId);
      return Promise.resolve();
    },
    heartbeats() {
      return Promise.resolve();
    },
  };
}
