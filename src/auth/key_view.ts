import type { ApiKeyRecord } from "@alkdev/keypal";
import type { KeyLimits } from "./key_rates.ts";

/** A key as its administrators see it: never the key, nor its hash. Times are ms since the epoch; null: not (yet). */
export interface KeyView {
  readonly id: string;
  readonly name: string | null;
  readonly ownerId: string;
  readonly scopes: readonly string[];
  readonly status: "active" | "disabled" | "expired" | "revoked";
  readonly createdAt: number | null;
  readonly lastUsedAt: number | null;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** Id of the key that took its place. */
  readonly rotatedTo: string | null;
  /** What it may do a minute; null: as much as it likes. */
  readonly limits: KeyLimits | null;
}

/** The view of a record at `nowMs`. */
export function toKeyView({ id, metadata }: ApiKeyRecord, nowMs: number): KeyView {
  const expiresAt = toMs(metadata.expiresAt);
  const revokedAt = toMs(metadata.revokedAt);
  return {
    id,
    name: metadata.name ?? null,
    ownerId: metadata.ownerId,
    scopes: metadata.scopes ?? [],
    status: statusOf(revokedAt, expiresAt, metadata.enabled ?? true, nowMs),
    createdAt: toMs(metadata.createdAt),
    lastUsedAt: toMs(metadata.lastUsedAt),
    expiresAt,
    revokedAt,
    rotatedTo: metadata.rotatedTo ?? null,
    limits: metadata.limits ?? null,
  };
}

function statusOf(
  revokedAt: number | null,
  expiresAt: number | null,
  enabled: boolean,
  nowMs: number,
): KeyView["status"] {
  if (revokedAt !== null) return "revoked";
  if (expiresAt !== null && expiresAt <= nowMs) return "expired";
  return enabled ? "active" : "disabled";
}

function toMs(instant: string | null | undefined): number | null {
  return instant === null || instant === undefined ? null : Date.parse(instant);
}
