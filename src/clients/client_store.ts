import type { ClientCatalog, ClientHead, ClientRecord, ClientSecret } from "./client.ts";

/** Where clients are kept, for any number of hubs. */
export interface ClientStore {
  /**
   * Puts a client in the place of the one with revision `before`, secrets included; null: there is none of that name yet. What
   * it was known to offer goes, unless `keepCatalog`.
   *
   * @returns false when somebody else was faster: nothing is changed then
   */
  put(
    params: { readonly client: ClientRecord; readonly before: number | null; readonly keepCatalog: boolean },
  ): Promise<boolean>;
  get(key: { readonly orgId: string; readonly name: string }): Promise<ClientRecord | null>;
  /** Of an organization, by name. */
  list(params: { readonly orgId: string }): Promise<readonly ClientRecord[]>;
  find(params: { readonly id: string }): Promise<ClientRecord | null>;
  /** With its secrets and its catalog. @returns false: there was none */
  remove(key: { readonly orgId: string; readonly name: string }): Promise<boolean>;
  /** Grows with every change of any client or catalog, and is read in the same moment as the change is. */
  version(): Promise<number>;
  /** Of all organizations. */
  heads(): Promise<readonly ClientHead[]>;
  catalog(params: { readonly id: string }): Promise<ClientCatalog | null>;
  /** Nothing happens when the client has another revision by now, or this very catalog. */
  putCatalog(
    params: { readonly id: string; readonly revision: number; readonly catalog: ClientCatalog },
  ): Promise<void>;
  /** Secrets that another key than `keyVersion` has sealed. */
  sealedOtherwise(
    params: { readonly keyVersion: number; readonly limit: number },
  ): Promise<readonly { readonly clientId: string; readonly secret: ClientSecret }[]>;
  /** Puts a new seal in the place of `before`; what it holds stays. Not a change of the client. */
  reseal(
    params: { readonly clientId: string; readonly before: ClientSecret; readonly sealed: ClientSecret["sealed"] },
  ): Promise<void>;
}
