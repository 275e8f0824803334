import type { HubConfig } from "../config/mod.ts";
import type { Hub, HubOptions } from "../main.ts";

/** What the commands that run a hub themselves need of its composition root. */
export interface HubProgram {
  readonly VERSION: string;
  startHub(options: HubOptions): Promise<Hub>;
  /** Applies what is missing of the migrations and gives their names. */
  migrateHub?(options: { readonly config: HubConfig }): Promise<readonly string[]>;
}

/** Loads the composition root, which the other commands do without. */
export async function loadHubProgram(): Promise<HubProgram> {
  return await import("../main.ts");
}
