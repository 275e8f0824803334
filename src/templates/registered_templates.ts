import { storedVersion } from "./definition_version.ts";
import { LruMap } from "./lru_map.ts";
import type { WorkflowStore } from "./workflow_store.ts";
import { type ResolvedVersion, schemaJson } from "./workflow_version.ts";

/** For so long a latest version is taken for granted, in ms; another hub's registration is seen after it at the latest. */
const LATEST_MS = 1_000;
const MAX_CACHED = 10_000;
/** Versions of one workflow that are told. */
const MAX_VERSIONS = 200;

interface Latest {
  readonly version: Promise<ResolvedVersion | null>;
  readonly until: number;
}

/** Stored versions, resolved. A version never changes, so it is resolved once; which one is the latest is asked again. */
export class RegisteredTemplates {
  readonly #store: WorkflowStore;
  readonly #now: () => number;
  readonly #versions = new LruMap<Promise<ResolvedVersion | null>>(MAX_CACHED);
  readonly #latest = new LruMap<Latest>(MAX_CACHED);

  constructor(store: WorkflowStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** One version. Null: the organization has none such. */
  version(orgId: string | null, name: string, version: string): Promise<ResolvedVersion | null> {
    const key = JSON.stringify([orgId, name, version]);
    const cached = this.#versions.get(key);
    if (cached !== undefined) return cached;
    const found = this.#store.get({ orgId, name, version }).then((stored) =>
      stored === null ? null : storedVersion(stored)
    );
    this.#versions.set(key, found);
    // What is not there may come, and what failed may succeed.
    found.then((it) => it === null && this.#versions.delete(key), () => this.#versions.delete(key));
    return found;
  }

  /** The latest version of a name. Null: the organization has none. */
  latest(orgId: string, name: string): Promise<ResolvedVersion | null> {
    const key = JSON.stringify([orgId, name]);
    const cached = this.#latest.get(key);
    const now = this.#now();
    if (cached !== undefined && now < cached.until) return cached.version;
    const version = this.#store.get({ orgId, name }).then((stored) =>
      stored === null ? null : this.#resolve(orgId, name, stored.version, () => storedVersion(stored))
    );
    this.#latest.set(key, { version, until: now + LATEST_MS });
    version.catch(() => this.#latest.delete(key));
    return version;
  }

  /** The versions of a name, the one saved last first. */
  versions(orgId: string | null, name: string): ReturnType<WorkflowStore["versions"]> {
    return this.#store.versions({ orgId, name, limit: MAX_VERSIONS });
  }

  /** The latest version of each of the organization's names. */
  async list(orgId: string): Promise<readonly ResolvedVersion[]> {
    const stored = await this.#store.list({ orgId });
    const versions = await Promise.allSettled(
      stored.map((it) => this.#resolve(orgId, it.name, it.version, () => storedVersion(it))),
    );
    // What this release cannot read any more must not take the others down.
    return versions.flatMap((result) => result.status === "fulfilled" && result.value !== null ? [result.value] : []);
  }

  /** Keeps a version and serves it as the latest from now on. */
  async save(orgId: string | null, resolved: ResolvedVersion): Promise<void> {
    const { name, version, title, description, template, inputSchema, outputSchema } = resolved;
    const flow = schemaJson(resolved.flow ?? null);
    const { expose = null } = resolved;
    if (template === null) return;
    await this.#store.save({
      orgId,
      name,
      version,
      title,
      description,
      template,
      inputSchema,
      outputSchema,
      flow,
      expose,
    });
    const settled = Promise.resolve(resolved);
    this.#versions.set(JSON.stringify([orgId, name, version]), settled);
    this.#latest.set(JSON.stringify([orgId, name]), { version: settled, until: this.#now() + LATEST_MS });
  }

  #resolve(
    orgId: string,
    name: string,
    version: string,
    make: () => ResolvedVersion,
  ): Promise<ResolvedVersion | null> {
    const key = JSON.stringify([orgId, name, version]);
    const cached = this.#versions.get(key);
    if (cached !== undefined) return cached;
    const made = Promise.resolve().then(make);
    this.#versions.set(key, made);
    made.catch(() => this.#versions.delete(key));
    return made;
  }
}
