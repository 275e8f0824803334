/** A stored key. The plain key is never in it: only its hash is. */
export interface ApiKeyRecord {
  /** 21 characters of A-Za-z0-9_-. */
  readonly id: string;
  /** Lower-case hex. */
  readonly keyHash: string;
  readonly metadata: ApiKeyMetadata;
}

/** What is known about a key. Instants are ISO 8601 strings. */
export interface ApiKeyMetadata {
  readonly ownerId: string;
  /** Tenant the key acts in; absent: the host's default one. An addition to the published package. */
  readonly orgId?: string;
  readonly name?: string;
  readonly description?: string;
  readonly scopes?: readonly string[];
  /** Keys are `"<type>:<id>"`, values are scopes that hold for that resource only. */
  readonly resources?: Readonly<Record<string, readonly string[]>>;
  /** Null or absent: never. */
  readonly expiresAt?: string | null;
  /** What the host lets the key do a minute, by kinds of its own; absent: no limit. An addition to the published package. */
  readonly limits?: Readonly<Record<string, number>>;
  readonly createdAt?: string;
  readonly lastUsedAt?: string | null;
  /** Absent is true. */
  readonly enabled?: boolean;
  /** Null or absent: not revoked. A revoked key is never valid again. */
  readonly revokedAt?: string | null;
  /** Id of the key that took this one's place. */
  readonly rotatedTo?: string | null;
  /** Lower case. */
  readonly tags?: readonly string[];
}

/** What a caller says of a new key; the manager adds the rest. */
export type CreateApiKeyInput = Omit<ApiKeyMetadata, "createdAt" | "lastUsedAt" | "revokedAt" | "rotatedTo">;
