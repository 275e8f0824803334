import type { EndStatus, PruneAction, PruneFilter, PruneJobs } from "./ports.ts";

/** What the configuration says of runs that are over: see docs/guides/retention.md. */
export interface RetentionPolicy {
  /** Default: all that has ended. */
  readonly status?: readonly EndStatus[];
  /** Since the end, in ms. */
  readonly olderThanMs: number;
  readonly label?: string;
  readonly workflow?: string;
  readonly action: PruneAction;
}

/** How often a policy is carried out. */
const EVERY_MS = 3_600_000;
/** How long jobs that are over can be asked for. */
const KEPT_MS = 30 * 86_400_000;

/** Asks for what is due of the policies, in any number of hubs once an hour each. */
export async function applyPolicies(
  jobs: PruneJobs,
  policies: readonly RetentionPolicy[],
  now: number,
): Promise<void> {
  await jobs.clean(now - KEPT_MS);
  for (const policy of policies) {
    const createdBy = `policy ${JSON.stringify(policy)}`;
    const last = await jobs.last({ createdBy });
    if (last !== null && now - last.createdAt < EVERY_MS) continue;
    await jobs.add({
      id: crypto.randomUUID(),
      orgId: null,
      createdBy,
      filter: filterOf(policy, now),
      action: policy.action,
    });
  }
}

function filterOf({ status, olderThanMs, label, workflow }: RetentionPolicy, now: number): PruneFilter {
  return {
    endedBefore: now - olderThanMs,
    ...(status !== undefined && { status }),
    ...(label !== undefined && { label }),
    ...(workflow !== undefined && { workflow }),
  };
}
