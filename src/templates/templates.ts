import { resolve } from "node:path";
import type { WorkflowSchemas } from "@alkdev/flowgraph";
import { FromSchema, operationId } from "@alkdev/operations";
import type { KnownVersion } from "../runs/version_ports.ts";
import type { OperationCatalog, TemplateProblem, WorkflowCatalog, WorkflowVersion } from "../runs/ports.ts";
import { checkRegistration } from "./check_registration.ts";
import { FileTemplates } from "./file_templates.ts";
import { nearestNames } from "./nearest_names.ts";
import { RegisteredTemplates } from "./registered_templates.ts";
import { type KnownOperations, validateDefinition, validateTemplateJson } from "./validate_version.ts";
import { watchDirectories } from "./watch_directories.ts";
import type { WorkflowStore } from "./workflow_store.ts";
import type { ResolvedVersion } from "./workflow_version.ts";

/** What the catalog is made of. */
export interface TemplatesOptions {
  /** Looked through for template files, in this order: where two files give one name, the first is served. */
  readonly directories: readonly string[];
  readonly store: WorkflowStore;
  readonly operations: OperationCatalog;
  /** Serve a saved file at once. */
  readonly watch: boolean;
  readonly log: TemplatesLog;
  /** Ms since the epoch. */
  readonly now?: () => number;
  /** Called for each version that a file brings, in the place of `previous` if there was one. */
  readonly onServed?: (deployed: WorkflowVersion, previous: WorkflowVersion | null) => void;
  /** Called after each reload that a change on disk caused. */
  readonly onReload?: () => void;
}

/** Where the catalog says what it does. */
export type TemplatesLog = (
  level: "info" | "warn" | "error",
  message: string,
  data?: Readonly<Record<string, unknown>>,
) => void;

/** The catalog, and what its owner does with it. */
export interface Templates extends WorkflowCatalog {
  /** Loads the files, and starts to watch them. A file that cannot be loaded is a problem, never an error. */
  load(): Promise<void>;
  /** Stops watching. What was resolved stays usable. */
  close(): Promise<void>;
  /** What is wrong with the files as they are now. */
  problems(): readonly TemplateProblem[];
}

/**
 * The workflows that can be run: those of template files, shared by all organizations, and those that an organization
 * registered as JSON. A file's name cannot be registered, and where both exist the file is served.
 */
export function createTemplates(options: TemplatesOptions): Templates {
  return new TemplateCatalog(options);
}

class TemplateCatalog implements Templates {
  readonly #options: TemplatesOptions;
  readonly #directories: readonly string[];
  readonly #files: FileTemplates;
  readonly #registered: RegisteredTemplates;
  /** Every version of a file that was served since the start. */
  readonly #fileVersions = new Map<string, ResolvedVersion>();
  #watcher: { close(): void } | null = null;
  #reloading: Promise<void> = Promise.resolve();

  constructor(options: TemplatesOptions) {
    this.#options = options;
    this.#directories = options.directories.map((directory) => resolve(directory));
    this.#files = new FileTemplates(this.#directories);
    this.#registered = new RegisteredTemplates(options.store, options.now ?? Date.now);
  }

  async load(): Promise<void> {
    if (this.#options.watch) {
      this.#watcher ??= watchDirectories(this.#directories, () => {
        this.#reload().then(() => this.#options.onReload?.());
      });
    }
    await this.#reload();
  }

  async close(): Promise<void> {
    this.#watcher?.close();
    this.#watcher = null;
    await this.#reloading;
    await this.#files.close();
  }

  problems(): readonly TemplateProblem[] {
    return this.#files.problems;
  }

  async get(
    { orgId, name, version }: { readonly orgId: string; readonly name: string; readonly version?: string },
  ): Promise<WorkflowVersion | null> {
    const served = this.#files.served.get(name);
    if (served !== undefined && (version === undefined || version === served.version)) return served;
    if (version === undefined) return await this.#registered.latest(orgId, name);
    return this.#fileVersions.get(versionKey(name, version)) ??
      await this.#registered.version(orgId, name, version) ??
      await this.#registered.version(null, name, version);
  }

  async versions({ orgId, name }: { readonly orgId: string; readonly name: string }): Promise<readonly KnownVersion[]> {
    const served = this.#files.served.get(name)?.version ?? (await this.#registered.latest(orgId, name))?.version;
    const found = new Map<string, number | null>();
    for (const owner of [orgId, null]) {
      for (const { version, savedAt } of await this.#registered.versions(owner, name)) {
        if (!found.has(version)) found.set(version, savedAt);
      }
    }
    for (const one of this.#fileVersions.values()) {
      if (one.name === name && !found.has(one.version)) found.set(one.version, null);
    }
    return [...found].map(([version, deployedAt]) => ({ version, current: version === served, deployedAt }))
      .sort((a, b) => Number(b.current) - Number(a.current) || (b.deployedAt ?? 0) - (a.deployedAt ?? 0));
  }

  async list({ orgId }: { readonly orgId: string }): Promise<readonly WorkflowVersion[]> {
    const { served } = this.#files;
    const registered = (await this.#registered.list(orgId)).filter(({ name }) => !served.has(name));
    return [...served.values(), ...registered].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  async similar({ orgId, name }: { readonly orgId: string; readonly name: string }): Promise<readonly string[]> {
    return nearestNames(name, (await this.list({ orgId })).map((version) => version.name));
  }

  async register(
    registration: Parameters<WorkflowCatalog["register"]>[0],
  ): Promise<{ readonly version: WorkflowVersion } | { readonly problems: readonly TemplateProblem[] }> {
    const { orgId, name } = registration;
    const result = await this.#withChildren(
      orgId,
      (known) => checkRegistration(registration, this.#files.served.has(name), known),
    );
    if ("problems" in result) return result;
    await this.#registered.save(orgId, result.version);
    return result;
  }

  async validate(
    { orgId, name, template, output }: Parameters<WorkflowCatalog["validate"]>[0],
  ): Promise<readonly TemplateProblem[]> {
    if (template !== undefined) {
      return await this.#withChildren(orgId, (known) => validateTemplateJson(name, { template, output }, known));
    }
    const served = this.#files.served.get(name) ?? await this.#registered.latest(orgId, name);
    if (served === null) return [await this.#unknown(orgId, name)];
    const found = await this.#withChildren(orgId, (known) => validateDefinition(served.definition, known));
    return [...this.#files.problemsOf(name), ...found];
  }

  async #unknown(orgId: string, name: string): Promise<TemplateProblem> {
    const [nearest] = await this.similar({ orgId, name });
    return {
      code: "unknown-workflow",
      path: "",
      message: `There is no workflow "${name}"`,
      ...(nearest !== undefined && { suggestion: `Did you mean "${nearest}"?` }),
    };
  }

  /** A check, which is made again when it has asked for child workflows: they are looked up in between. */
  async #withChildren<T>(orgId: string, check: (known: KnownOperations) => T): Promise<T> {
    const { operations } = this.#options;
    const asked = new Map<string, { readonly name: string; readonly version?: string }>();
    const found = new Map<string, WorkflowSchemas>();
    const known: KnownOperations = {
      spec: (id, labels) => operations.spec(orgId, id, labels),
      ids: () => operations.list(orgId).map(operationId),
      workflow: (name, version) => {
        const key = versionKey(name, version ?? "");
        asked.set(key, { name, ...(version !== undefined && { version }) });
        return found.get(key);
      },
    };
    const result = check(known);
    if (asked.size === 0) return result;
    for (const [key, child] of asked) {
      const version = await this.get({ orgId, ...child });
      if (version !== null) found.set(key, schemasOf(version));
    }
    return check(known);
  }

  /** One reload at a time, each after the one before; never rejects. */
  #reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reloadNow()).catch((error) => {
      this.#options.log("error", "Templates could not be reloaded", { error: String(error) });
    });
    return this.#reloading;
  }

  async #reloadNow(): Promise<void> {
    const before = new Set(this.#files.problems.map(problemLine));
    const served = new Map(this.#files.served);
    const fresh = await this.#files.reload();
    for (const version of fresh) {
      this.#fileVersions.set(versionKey(version.name, version.version), version);
      if (version.serializable) await this.#registered.save(null, version);
      this.#options.log("info", "Workflow is served", { workflow: version.name, version: version.version });
      this.#options.onServed?.(version, served.get(version.name) ?? null);
    }
    for (const problem of this.#files.problems) {
      if (!before.has(problemLine(problem))) this.#options.log("warn", problem.message, { ...problem });
    }
  }
}

function schemasOf({ inputSchema, outputSchema }: WorkflowVersion): WorkflowSchemas {
  return { inputSchema: inputSchema === null ? null : FromSchema(inputSchema), outputSchema };
}

function versionKey(name: string, version: string): string {
  return `${name}@${version}`;
}

function problemLine({ path, message }: TemplateProblem): string {
  return `${path}: ${message}`;
}
