import { CallError, type OperationSpec, parseOperationReference, type ResponseEnvelope } from "@alkdev/operations";
import type { Clock, DispatchedCall } from "../../engine/ports.ts";
import type { KeyRing } from "../crypto/mod.ts";
import type { RemoteOperations } from "../dispatch/mod.ts";
import type { Egress } from "../egress/mod.ts";
import type { AllowedCommand } from "./allowed_commands.ts";
import type { ClientHead, ClientRecord } from "./client.ts";
import type { ClientStore } from "./client_store.ts";
import type { EndpointHost } from "./endpoint.ts";
import { LiveClient, type LiveState, type OfferingClient, type ProgressObserver } from "./live_client.ts";
import { McpEndpoint } from "./mcp_endpoint.ts";
import { readSpecs } from "./offered_spec.ts";
import { OpenApiEndpoint } from "./openapi_endpoint.ts";
import type { ClientsLog } from "./ports.ts";
import { derivedSecrets } from "./request_headers.ts";
import { SecretMask } from "./secret_mask.ts";
import { openSecrets } from "./secret_opener.ts";

/** What {@linkcode ClientPool} works with. */
export interface ClientPoolOptions {
  readonly store: ClientStore;
  readonly keyRing: KeyRing;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly random: () => number;
  /** What may be started as an MCP server. */
  readonly commands: readonly AllowedCommand[];
  readonly observer: ProgressObserver;
  readonly log: ClientsLog;
  /** Told of each catalog that this hub has written: other hubs may look. */
  readonly onCatalog: () => void;
}

/** Longest time for calls under way at a client that was removed or changed. */
const DRAIN_MS = 300_000;

interface Entry {
  readonly head: ClientHead;
  readonly live: LiveClient;
}

/**
 * The clients of all organizations on this hub, as the store has them. `sync` brings it up to the store's version: what is new
 * is reached, what has changed is made anew, what is gone takes no new calls, and its calls under way end.
 */
export class ClientPool implements RemoteOperations {
  readonly #options: ClientPoolOptions;
  /** By id. */
  readonly #entries = new Map<string, Entry>();
  /** By organization, then by name. */
  readonly #byName = new Map<string, Map<string, LiveClient>>();
  readonly #draining = new Set<LiveClient>();
  #version = -1;
  #syncing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: ClientPoolOptions) {
    this.#options = options;
  }

  /** The spec of the client whose operations have this prefix, if it has this operation, in the version that is named. */
  spec(orgId: string, reference: string): OperationSpec | undefined {
    const client = this.#find(orgId, reference);
    if (client === undefined) return undefined;
    const { id, version } = parseOperationReference(reference);
    const spec = client.spec(id);
    return version === null || spec?.version === version ? spec : undefined;
  }

  specs(orgId: string): readonly OperationSpec[] {
    return [...this.#byName.get(orgId)?.values() ?? []].flatMap((client) => [...client.specs]);
  }

  call(call: DispatchedCall, spec: OperationSpec): Promise<ResponseEnvelope> {
    const client = this.#find(call.orgId, call.operationId);
    return client === undefined ? Promise.reject(gone(call)) : client.call(call, spec);
  }

  async *stream(call: DispatchedCall, spec: OperationSpec): AsyncGenerator<ResponseEnvelope, void, undefined> {
    const client = this.#find(call.orgId, call.operationId);
    if (client === undefined) throw gone(call);
    yield* client.stream(call, spec);
  }

  get(orgId: string, name: string): LiveClient | null {
    return this.#byName.get(orgId)?.get(name) ?? null;
  }

  /** How a client is doing here; null: it gives no operations, or is not known here yet. */
  state(orgId: string, name: string): LiveState | null {
    return this.get(orgId, name)?.state ?? null;
  }

  /** Looks whether the store has changed, and follows. One at a time; rejects when the store cannot be read. */
  sync(): Promise<void> {
    const next = this.#syncing.catch(() => {}).then(() => this.#sync());
    this.#syncing = next;
    next.catch(() => {});
    return next;
  }

  /** Lets go of all servers. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#syncing.catch(() => {});
    const all = [...[...this.#entries.values()].map(({ live }) => live), ...this.#draining];
    this.#entries.clear();
    this.#byName.clear();
    await Promise.all(all.map((live) => live.close()));
  }

  #find(orgId: string, id: string): LiveClient | undefined {
    const names = this.#byName.get(orgId);
    return names === undefined ? undefined : names.get(id.slice(0, id.indexOf(".")));
  }

  async #sync(): Promise<void> {
    if (this.#isClosed) return;
    const { store } = this.#options;
    const version = await store.version(); // before the clients: what changes meanwhile is read again
    if (version === this.#version) return;
    const heads = new Map((await store.heads()).map((head) => [head.id, head]));
    for (const [id, { live }] of this.#entries) if (!heads.has(id)) this.#drop(id, live);
    for (const head of heads.values()) await this.#follow(head);
    this.#version = version;
  }

  async #follow(head: ClientHead): Promise<void> {
    const { store } = this.#options;
    const known = this.#entries.get(head.id);
    if (known?.head.revision === head.revision) {
      if (known.head.catalogHash === head.catalogHash) return;
      this.#entries.set(head.id, { head, live: known.live });
      const catalog = await store.catalog(head);
      if (catalog !== null) known.live.reread(catalog.content);
      return;
    }
    const record = await store.find(head);
    if (record === null || !isOffering(record)) return;
    const catalog = await store.catalog(head);
    if (this.#isClosed) return;
    if (known !== undefined) this.#drop(head.id, known.live);
    const live = this.#open(record, catalog?.content ?? null);
    this.#entries.set(head.id, { head: { ...head, revision: record.revision }, live });
    const names = this.#byName.get(record.orgId) ?? new Map<string, LiveClient>();
    this.#byName.set(record.orgId, names.set(record.name, live));
  }

  #drop(id: string, live: LiveClient): void {
    this.#entries.delete(id);
    const { orgId, name } = live.record;
    const names = this.#byName.get(orgId);
    if (names?.get(name) === live) names.delete(name);
    if (names?.size === 0) this.#byName.delete(orgId);
    this.#draining.add(live);
    void live.drain(DRAIN_MS).catch(() => {}).finally(() => this.#draining.delete(live));
  }

  #open(record: OfferingClient, content: string | null): LiveClient {
    const { clock, random, egress, log, keyRing, commands, observer } = this.#options;
    const { config, name } = record;
    let mask = new SecretMask([]);
    let opened: Promise<ReadonlyMap<string, string>> | null = null;
    const open = async () => {
      const secrets = await openSecrets(keyRing, record.secrets);
      const known = "auth" in config ? derivedSecrets(config, secrets) : [];
      mask = new SecretMask([...secrets.values(), ...known]);
      return secrets;
    };
    const holder: { live: LiveClient | null } = { live: null };
    const host: EndpointHost = {
      name,
      clock,
      random,
      egress,
      log,
      secrets: () => opened ??= open(),
      mask: (text) => mask.text(text),
      onOffer: (specs, written) => {
        holder.live?.offer(specs);
        if (written !== null) void this.#keep(record, written);
      },
    };
    const known = content !== null && config.type === "mcp" ? readSpecs(content) : [];
    const endpoint = config.type === "mcp"
      ? new McpEndpoint(config, host, commands)
      : new OpenApiEndpoint(config, host, content);
    return new LiveClient({
      record,
      endpoint,
      specs: known,
      clock,
      random,
      observer,
      mask: () => mask,
      onLive: (made) => holder.live = made,
    });
  }

  /** What a client offers now, for later starts and other hubs. */
  async #keep({ id, name, revision }: ClientRecord, content: string): Promise<void> {
    const { store, clock, log, onCatalog } = this.#options;
    try {
      const catalog = { content, hash: await hashOf(content), updatedAt: clock.now() };
      await store.putCatalog({ id, revision, catalog });
      onCatalog();
    } catch (error) {
      log.warn("What client {client} offers cannot be stored: {error}", { client: name, error: String(error) });
    }
  }
}

/** Makes an empty pool: `sync` fills it. */
export function createClientPool(options: ClientPoolOptions): ClientPool {
  return new ClientPool(options);
}

function isOffering(record: ClientRecord): record is OfferingClient {
  return record.config.type !== "llm-provider";
}

function gone({ operationId }: DispatchedCall): CallError {
  return new CallError("OPERATION_NOT_FOUND", `Operation "${operationId}" is not offered any more`, { operationId });
}

async function hashOf(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
