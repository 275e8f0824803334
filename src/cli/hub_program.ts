import type { HubConfig } from "../config/mod.ts";
import type { Hub, HubOptions } from "../main.ts";
import type { IssuedKeyBody } from "./key_views.ts";

/** A key to be made without a hub. */
export interface OfflineKey {
  readonly config: HubConfig;
  readonly name: string;
  readonly scopes: readonly string[];
  /** Ms since the epoch; absent: never. */
  readonly expiresAt?: number;
}

/** What the commands that run a hub themselves need of its composition root. */
export interface HubProgram {
  readonly VERSION: string;
  startHub(options: HubOptions): Promise<Hub>;
  /** Applies what is missing of the migrations and gives their names. */
  migrateHub?(options: { readonly config: HubConfig }): Promise<readonly string[]>;
  /** Makes a key in the database itself. */
  createKeyOffline(options: OfflineKey): Promise<IssuedKeyBody>;
}

/** Loads the composition root, which the other commands do without. */
export async function loadHubProgram(): Promise<HubProgram> {
  return await import("../main.ts");
}
