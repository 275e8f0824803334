import type { Identity } from "@alkdev/operations";
import { coversScope } from "../auth/mod.ts";
import type { OwnerKeys, Standing } from "./owner.ts";

/** A key as {@linkcode createOwnerKeys} needs it. Instants are ISO 8601. */
export interface OwnedKey {
  readonly metadata: {
    readonly scopes?: readonly string[];
    readonly resources?: Readonly<Record<string, readonly string[]>>;
    readonly enabled?: boolean;
    readonly expiresAt?: string | null;
    readonly revokedAt?: string | null;
    readonly rotatedTo?: string | null;
  };
}

/** Longest chain of rotations that is followed. */
const MAX_ROTATIONS = 100;

/** Owners' keys as the store of keys has them. */
export function createOwnerKeys(
  { find, now }: { readonly find: (keyId: string) => Promise<OwnedKey | null>; readonly now: () => number },
): OwnerKeys {
  return {
    async standing({ owner, orgId }): Promise<Standing> {
      let { keyId } = owner;
      let key = await find(keyId);
      for (let turn = 0; turn < MAX_ROTATIONS && key?.metadata.rotatedTo; turn++) {
        keyId = key.metadata.rotatedTo;
        key = await find(keyId);
      }
      const reason = key === null ? "its owner's key is gone" : problemOf(key, now());
      if (key === null || reason !== null) return { ok: false, reason: reason ?? "its owner's key is gone" };
      return { ok: true, caller: { orgId, identity: narrowed(owner.identity, key), keyId } };
    },
  };
}

function problemOf({ metadata }: OwnedKey, now: number): string | null {
  if (metadata.revokedAt) return "its owner's key was revoked";
  if (metadata.enabled === false) return "its owner's key is disabled";
  if (metadata.expiresAt && Date.parse(metadata.expiresAt) <= now) return "its owner's key has expired";
  return null;
}

/** Scopes that were held then and are held now: of two that cover each other, the narrower one. */
function narrowed(identity: Identity, { metadata: { scopes = [] } }: OwnedKey): Identity {
  const kept = [
    ...identity.scopes.filter((scope) => coversScope(scopes, scope)),
    ...scopes.filter((scope) => coversScope(identity.scopes, scope)),
  ];
  return { ...identity, scopes: [...new Set(kept)] };
}
