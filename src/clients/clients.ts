import { CallError } from "@alkdev/operations";
import { FromOpenAPI } from "@alkdev/operations/from-openapi";
import type { KeyRing } from "../crypto/mod.ts";
import type { Egress } from "../egress/mod.ts";
import type { Caller } from "../runs/mod.ts";
import { type AllowedCommand, commandProblem } from "./allowed_commands.ts";
import type { ClientRecord, ClientSecret } from "./client.ts";
import type { ClientPool } from "./client_pool.ts";
import type { ClientConfig } from "./client_config.ts";
import type { ClientStore } from "./client_store.ts";
import { type ClientView, viewOf } from "./client_view.ts";
import { baseUrlOf, parseDocument } from "./openapi_document.ts";
import { checkProvider } from "./check_provider.ts";
import { type ClientInput, invalid, readClientInput } from "./read_client_input.ts";
import { sealSecret } from "./secret_opener.ts";

/** What a test of a client came to. */
export interface ClientTest {
  readonly ok: boolean;
  readonly ms: number;
  /** How many operations, or models, it offers; null where it was not asked for them. */
  readonly offers: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/**
 * Use cases of clients. What another organization has does not exist. Codes: `CLIENT_NOT_FOUND`, `CLIENT_CONFLICT`,
 * `VALIDATION_ERROR`, `OVERLOADED`.
 */
export interface Clients {
  /**
   * Adds a client, or puts it in the place of the one of its name. Secrets that are not given, or null, stay as they are, which
   * is refused where they would be sent to another place. Waits a moment for the first connection, whose failure is told in the
   * view and not thrown.
   */
  put(
    params: { readonly caller: Caller; readonly name: string; readonly body: unknown },
  ): Promise<{ readonly client: ClientView; readonly isNew: boolean }>;
  /** By name. */
  list(params: { readonly caller: Caller }): Promise<readonly ClientView[]>;
  get(params: { readonly caller: Caller; readonly name: string }): Promise<ClientView>;
  /** New calls are refused from now on; those under way end. */
  remove(params: { readonly caller: Caller; readonly name: string }): Promise<void>;
  /** Asks again what it offers. Rejects with why it cannot be asked. */
  refresh(params: { readonly caller: Caller; readonly name: string }): Promise<ClientView>;
  /** Tries to reach it, now. */
  test(params: { readonly caller: Caller; readonly name: string }): Promise<ClientTest>;
  /** Puts new secrets in the place of those of these names. */
  rotate(
    params: {
      readonly caller: Caller;
      readonly name: string;
      readonly secrets: Readonly<Record<string, unknown>>;
    },
  ): Promise<ClientView>;
}

/** What {@linkcode createClients} works with. */
export interface ClientsOptions {
  readonly store: ClientStore;
  readonly pool: ClientPool;
  readonly keyRing: KeyRing;
  readonly egress: Egress;
  readonly commands: readonly AllowedCommand[];
  readonly now: () => number;
  /** Who else has operations under this prefix; null: nobody. */
  readonly takenBy: (orgId: string, namespace: string) => string | null;
  /** After each change: other hubs may look. */
  readonly onChange: () => void;
  /** Resolves after so many ms. */
  readonly wait: (ms: number) => Promise<void>;
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
const MAX_CLIENTS = 200;
const MAX_SECRET = 16_384;
/** How long an answer waits for the first connection. */
const FIRST_TRY_MS = 10_000;

export function createClients(options: ClientsOptions): Clients {
  return new ClientUseCases(options);
}

class ClientUseCases implements Clients {
  readonly #options: ClientsOptions;

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  async put({ caller, name, body }: Parameters<Clients["put"]>[0]): ReturnType<Clients["put"]> {
    const { store, now } = this.#options;
    const { orgId } = caller;
    const input = this.#read(body);
    const before = await store.get({ orgId, name });
    if (before === null) await this.#checkName(orgId, name);
    const at = now();
    const client: ClientRecord = {
      id: before?.id ?? crypto.randomUUID(),
      orgId,
      name,
      config: input.config,
      secrets: await this.#secrets(input, before, at),
      revision: (before?.revision ?? 0) + 1,
      createdAt: before?.createdAt ?? at,
      updatedAt: at,
    };
    if (!await store.put({ client, before: before?.revision ?? null, keepCatalog: false })) throw raced(name);
    if (input.document !== null) {
      const catalog = { content: input.document, hash: crypto.randomUUID(), updatedAt: at };
      await store.putCatalog({ id: client.id, revision: client.revision, catalog });
    }
    await this.#changed(client);
    return { client: this.#view(client), isNew: before === null };
  }

  async list({ caller: { orgId } }: Parameters<Clients["list"]>[0]): ReturnType<Clients["list"]> {
    return (await this.#options.store.list({ orgId })).map((client) => this.#view(client));
  }

  async get({ caller, name }: Parameters<Clients["get"]>[0]): Promise<ClientView> {
    return this.#view(await this.#find(caller, name));
  }

  async remove({ caller: { orgId }, name }: Parameters<Clients["remove"]>[0]): Promise<void> {
    const { store, pool, onChange } = this.#options;
    if (!await store.remove({ orgId, name })) throw notFound(name);
    onChange();
    await pool.sync();
  }

  async refresh({ caller, name }: Parameters<Clients["refresh"]>[0]): Promise<ClientView> {
    const client = await this.#find(caller, name);
    await this.#options.pool.sync();
    await this.#options.pool.get(caller.orgId, name)?.refresh();
    return this.#view(client);
  }

  async test({ caller, name }: Parameters<Clients["test"]>[0]): Promise<ClientTest> {
    const { pool, keyRing, egress } = this.#options;
    const client = await this.#find(caller, name);
    await pool.sync();
    const since = performance.now();
    const ms = () => Math.round(performance.now() - since);
    try {
      const { config } = client;
      if (config.type === "llm-provider") {
        return { ok: true, ms: ms(), offers: await checkProvider({ client, config, keyRing, egress }), error: null };
      }
      await pool.get(caller.orgId, name)?.refresh();
      const state = pool.state(caller.orgId, name);
      return { ok: state?.status === "up", ms: ms(), offers: state?.operations ?? null, error: state?.error ?? null };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return { ok: false, ms: ms(), offers: null, error: { code: error.code, message: error.message } };
    }
  }

  async rotate({ caller, name, secrets }: Parameters<Clients["rotate"]>[0]): Promise<ClientView> {
    const { store, now, keyRing } = this.#options;
    const before = await this.#find(caller, name);
    const at = now();
    for (const [secret, value] of Object.entries(secrets)) {
      if (typeof value !== "string" || value === "" || value.length > MAX_SECRET || /[\0\r\n]/.test(value)) {
        throw invalid([{ path: `/secrets/${secret}`, message: "is not valid: wanted a text of one line" }]);
      }
      if (before.secrets.some((one) => one.name === secret)) continue;
      const wanted = before.secrets.map((one) => JSON.stringify(one.name)).join(", ");
      throw invalid([{
        path: `/secrets/${secret}`,
        message: `is not a secret of the client: wanted one of ${wanted}`,
      }]);
    }
    const changed = await Promise.all(before.secrets.map((secret) => {
      const value = Object.hasOwn(secrets, secret.name) ? secrets[secret.name] : undefined;
      return typeof value !== "string" ? secret : sealSecret(keyRing, { name: secret.name, value, at });
    }));
    const client = { ...before, secrets: changed, revision: before.revision + 1, updatedAt: at };
    if (!await store.put({ client, before: before.revision, keepCatalog: true })) throw raced(name);
    await this.#changed(client);
    return this.#view(client);
  }

  /** Decodes, and looks at what no schema can tell. */
  #read(body: unknown): ClientInput {
    const input = readClientInput(body);
    const { config, document } = input;
    if (config.type === "mcp" && "command" in config) {
      const { command, args = [], env = [] } = config;
      const problem = commandProblem({ command, args, env }, this.#options.commands);
      if (problem !== null) throw invalid([{ path: `/${problem.field}`, message: problem.message }]);
    }
    if (config.type !== "openapi" || document === null) return input;
    const parsed = parseDocument(document);
    const baseUrl = config.baseUrl ?? baseUrlOf(parsed, null);
    FromOpenAPI(parsed, { namespace: "check", baseUrl });
    return { ...input, config: { ...config, baseUrl } };
  }

  async #checkName(orgId: string, name: string): Promise<void> {
    if (!NAME.test(name)) {
      const message = `is ${JSON.stringify(name)}: wanted a letter, then at most 62 letters, digits, "_" and "-"`;
      throw new CallError("VALIDATION_ERROR", `Name of the client ${message}`, {
        errors: [{ path: ":name", message }],
      });
    }
    const taken = this.#options.takenBy(orgId, name);
    if (taken !== null) {
      throw new CallError(
        "CLIENT_CONFLICT",
        `Cannot add client "${name}": ${taken} has operations named "${name}.…" already. Choose another name`,
      );
    }
    if ((await this.#options.store.list({ orgId })).length >= MAX_CLIENTS) {
      throw new CallError("OVERLOADED", `Cannot add client "${name}": there are ${MAX_CLIENTS} already`);
    }
  }

  async #secrets(
    { config, secrets, keepsKeys }: ClientInput,
    before: ClientRecord | null,
    at: number,
  ): Promise<readonly ClientSecret[]> {
    const staying = new Map(before?.secrets.map((secret) => [secret.name, secret]));
    const keeps = keepsKeys ? [...staying.keys()].filter((name) => name.startsWith("key:")) : [];
    if (keepsKeys && keeps.length === 0) throw missing("key:0");
    const wanted = new Map([...secrets, ...keeps.map((name): [string, null] => [name, null])]);
    const kept = [...wanted].filter(([, value]) => value === null).map(([name]) => name);
    for (const name of kept) if (!staying.has(name)) throw missing(name);
    if (before !== null && kept.length > 0 && targetOf(before.config) !== targetOf(config)) {
      throw invalid([{
        path: pathOf(kept[0] ?? ""),
        message: "is missing: a secret does not stay where the client goes to another place",
      }]);
    }
    const sealed = [...wanted].map(([name, value]) =>
      value === null ? staying.get(name) : sealSecret(this.#options.keyRing, { name, value, at })
    );
    return (await Promise.all(sealed)).filter((secret) => secret !== undefined)
      .toSorted((a, b) => a.name < b.name ? -1 : 1);
  }

  async #changed({ orgId, name }: ClientRecord): Promise<void> {
    const { pool, onChange, wait } = this.#options;
    onChange();
    await pool.sync();
    await Promise.race([pool.get(orgId, name)?.tried, wait(FIRST_TRY_MS)]);
  }

  async #find({ orgId }: Caller, name: string): Promise<ClientRecord> {
    const client = await this.#options.store.get({ orgId, name });
    if (client === null) throw notFound(name);
    return client;
  }

  #view(client: ClientRecord): ClientView {
    return viewOf(client, this.#options.pool.state(client.orgId, client.name));
  }
}

/** Where secrets go. */
function targetOf(config: ClientConfig): string {
  if (config.type === "mcp") {
    return "url" in config ? new URL(config.url).origin : JSON.stringify([config.command, config.args ?? []]);
  }
  if (config.type === "llm-provider") return new URL(config.baseUrl).origin;
  const places = [config.specUrl, config.baseUrl ?? config.specUrl].map((url) => url && new URL(url).origin);
  return JSON.stringify(places);
}

function missing(name: string): CallError {
  return invalid([{ path: pathOf(name), message: "is missing: wanted a secret" }]);
}

/** The field in which a secret is given. */
function pathOf(name: string): string {
  const [kind = "", rest = ""] = name.split(/:(.*)/);
  if (kind === "header") return `/headers/${rest}`;
  if (kind === "env") return `/env/${rest}`;
  return kind === "key" ? `/keys/${rest}` : `/${kind}`;
}

function notFound(name: string): CallError {
  return new CallError("CLIENT_NOT_FOUND", `There is no client "${name}"`, { client: name });
}

function raced(name: string): CallError {
  return new CallError("CLIENT_CONFLICT", `Client "${name}" was changed by somebody else just now: try again`);
}
