import type { Caller } from "../runs/mod.ts";

/** Who is behind a request: the caller that the use cases see, and the key that vouched for it. */
export interface Principal extends Caller {
  readonly keyId: string;
  /** Null: the key has no name. */
  readonly keyName: string | null;
}
