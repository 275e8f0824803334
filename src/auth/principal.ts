import type { Caller } from "../runs/mod.ts";
import type { KeyLimits } from "./key_rates.ts";

/** What the use cases are given, and may keep. */
export function asCaller({ identity, orgId, keyId }: Principal): Caller {
  return { identity, orgId, keyId };
}

/** Who is behind a request: the caller that the use cases see, and the key that vouched for it. */
export interface Principal extends Caller {
  readonly keyId: string;
  /** Null: the key has no name. */
  readonly keyName: string | null;
  /** Absent: it may do as much as it likes. */
  readonly limits?: KeyLimits;
}
