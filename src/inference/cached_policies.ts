import { FreshMap } from "./fresh_map.ts";
import type { PolicyStore } from "./policy.ts";

/** Policies as they were at most a second ago. */
export function cachedPolicies(store: PolicyStore, now: () => number): PolicyStore {
  const fresh = new FreshMap((orgId) => store.get(orgId), { now });
  return {
    get: (orgId) => fresh.get(orgId),
    async put(orgId, policy) {
      const stored = await store.put(orgId, policy);
      fresh.forget(orgId);
      return stored;
    },
  };
}
