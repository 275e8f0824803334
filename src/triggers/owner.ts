import { type TObject, Type } from "@alkdev/typebox";
import type { Identity } from "@alkdev/operations";
import type { Caller } from "../runs/mod.ts";

/** On whose behalf something happens later: the identity as it was, and the key that vouched for it. */
export interface Owner {
  readonly keyId: string;
  readonly identity: Identity;
}

/** Checks {@linkcode Owner}. */
export const OwnerSchema: TObject = Type.Object({
  keyId: Type.String(),
  identity: Type.Object({
    id: Type.String(),
    scopes: Type.Array(Type.String()),
    resources: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
  }),
});

/** What an owner may do now: what it could then, and no more than its key can today. */
export type Standing =
  | { readonly ok: true; readonly caller: Caller }
  /** `reason` ends a sentence: "its owner's key was revoked". */
  | { readonly ok: false; readonly reason: string };

/** Looks at the keys behind owners. */
export interface OwnerKeys {
  /** Follows a rotated key to the one in its place. */
  standing(params: { readonly owner: Owner; readonly orgId: string }): Promise<Standing>;
}
