/** A key as the HTTP API gives it. Times are ms since the epoch. */
export interface KeyBody {
  readonly id: string;
  readonly name: string | null;
  readonly scopes: readonly string[];
  readonly status: string;
  readonly createdAt: number | null;
  readonly lastUsedAt: number | null;
}

/** A new key, the only time that it is seen. */
export interface IssuedKeyBody {
  readonly key: string;
  readonly record: KeyBody;
}
