import { type TObject, Type } from "@alkdev/typebox";
import type { EncryptedData } from "../crypto/mod.ts";
import type { ClientConfig } from "./client_config.ts";

/** A secret of a client at rest. */
export interface ClientSecret {
  /** `auth`, `header:<name>`, `env:<name>`, `url.query`, `spec.query`, `key:<n>`. */
  readonly name: string;
  readonly sealed: EncryptedData;
  /** Its last four characters where it is long enough to give these away; else null. */
  readonly last4: string | null;
  /** Ms since the epoch. */
  readonly updatedAt: number;
}

/** Somebody else's service, as an organization has added it. Times are ms since the epoch. */
export interface ClientRecord {
  readonly id: string;
  readonly orgId: string;
  /** The namespace of its operations; unique in its organization. */
  readonly name: string;
  readonly config: ClientConfig;
  /** By name. */
  readonly secrets: readonly ClientSecret[];
  /** Counts changes from 1. */
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a client was last known to offer: an OpenAPI document, or the specs of a server's tools as JSON. */
export interface ClientCatalog {
  readonly content: string;
  /** Of the content: two hubs that read the same write once. */
  readonly hash: string;
  readonly updatedAt: number;
}

/** Enough of a client to see whether it has changed. */
export interface ClientHead {
  readonly id: string;
  readonly revision: number;
  /** Of its catalog; null: there is none yet. */
  readonly catalogHash: string | null;
}

/** Holds stored secrets to their form. */
export const StoredSecretSchema: TObject = Type.Object({
  keyVersion: Type.Integer(),
  salt: Type.String(),
  iv: Type.String(),
  data: Type.String(),
});
