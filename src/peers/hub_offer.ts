import type { OperationSpec } from "@alkdev/operations";
import type { Offered, RunnerPool, SpokeView } from "../spokes/mod.ts";

/** What the spokes of one hub offer. */
export interface HubOffer {
  readonly spokes: readonly { readonly orgId: string; readonly spoke: SpokeView }[];
  /** Every version of every operation. */
  readonly operations: readonly ({ readonly orgId: string } & Offered)[];
}

/** A sign of life. `version` rises with each change of the offer; a restarted hub has a higher epoch. */
export interface Beat {
  readonly epoch: number;
  readonly version: number;
  /** It has just come, and wants to know who is there. */
  readonly hello: boolean;
  /** It is about to go. */
  readonly bye: boolean;
}

/** What the spokes of this hub offer now; those that are away are not counted. */
export function offerOf(pool: RunnerPool): HubOffer {
  const organizations = pool.organizations();
  return {
    spokes: organizations.flatMap((orgId) =>
      pool.list(orgId).filter(({ status }) => status === "connected").map((spoke) => ({ orgId, spoke }))
    ),
    operations: organizations.flatMap((orgId) => pool.offered(orgId).map((offered) => ({ orgId, ...offered }))),
  };
}

/** Null: not a beat. */
export function decodeBeat(value: unknown): Beat | null {
  if (typeof value !== "object" || value === null || !("epoch" in value) || !("version" in value)) return null;
  const { epoch, version } = value;
  if (typeof epoch !== "number" || typeof version !== "number") return null;
  return { epoch, version, hello: "hello" in value, bye: "bye" in value };
}

/** Null: not an offer. Hubs trust each other: only the outline is looked at. */
export function decodeOffer(
  value: unknown,
  revive: (specs: readonly OperationSpec[]) => readonly OperationSpec[],
): (HubOffer & { readonly version: number }) | null {
  const isOffer = typeof value === "object" && value !== null && "spokes" in value && Array.isArray(value.spokes) &&
    "operations" in value && Array.isArray(value.operations) && "version" in value && typeof value.version === "number";
  if (!isOffer) return null;
  const { spokes, operations, version } = value as HubOffer & { readonly version: number };
  const specs = revive(operations.map(({ spec }) => spec));
  // A hub of an earlier release says no labels here.
  const offered = operations.map(({ orgId, labels = [{}] }, i) => ({ orgId, spec: specs[i]!, labels }));
  return { spokes, operations: offered, version };
}
