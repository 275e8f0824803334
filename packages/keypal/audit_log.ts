/** What can happen to a key. */
export type AuditAction = "created" | "revoked" | "rotated" | "enabled" | "disabled";

/** One appended fact about a key. */
export interface AuditLog {
  readonly id: string;
  readonly action: AuditAction;
  readonly keyId: string;
  readonly ownerId: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Filter of audit logs; all given fields must hold. Newest first. */
export interface AuditLogQuery {
  readonly keyId?: string;
  readonly ownerId?: string;
  readonly action?: AuditAction;
  /** ISO 8601; both inclusive. */
  readonly startDate?: string;
  readonly endDate?: string;
  readonly limit?: number;
  readonly offset?: number;
}

/** Counts of one owner's logs. */
export interface AuditLogStats {
  readonly total: number;
  readonly byAction: Readonly<Partial<Record<AuditAction, number>>>;
  /** ISO 8601; null without logs. */
  readonly lastActivity: string | null;
}

/** Who did it and from where, merged into a log's `data`. */
export type AuditContext = Readonly<Record<string, unknown>>;
