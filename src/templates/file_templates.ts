import { isWorkflowDefinition, TemplateError, type WorkflowDefinition } from "@alkdev/flowgraph";
import { CallError } from "@alkdev/operations";
import type { TemplateProblem } from "../runs/ports.ts";
import { definitionVersion } from "./definition_version.ts";
import { findTemplateFiles } from "./find_template_files.ts";
import { importProblem } from "./import_problem.ts";
import { readTemplateSource, TemplateModules, type TemplateSource } from "./template_modules.ts";
import { templateProblem } from "./template_problem.ts";
import { ResolvedVersion } from "./workflow_version.ts";

/** Larger template files are refused, in bytes. */
const MAX_FILE_BYTES = 1 << 20;

/** What is known of one template file. */
interface KnownFile {
  /** Digest of what was last read. */
  readonly digest: string;
  /** The last version that could be loaded: it stays served while the file is broken. Null: none yet. */
  readonly version: ResolvedVersion | null;
  /** Of what was last read. */
  readonly problems: readonly TemplateProblem[];
}

/**
 * The workflows of the template files in some directories. State is replaced as a whole at the end of a reload, so a reader
 * never sees half of one.
 */
export class FileTemplates {
  readonly #directories: readonly string[];
  readonly #modules = new TemplateModules();
  #files: ReadonlyMap<string, KnownFile> = new Map();
  #served: ReadonlyMap<string, ResolvedVersion> = new Map();
  #problems: readonly TemplateProblem[] = [];

  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  /** The workflows served now, by name. */
  get served(): ReadonlyMap<string, ResolvedVersion> {
    return this.#served;
  }

  /** Everything wrong with the files, as of the last reload. */
  get problems(): readonly TemplateProblem[] {
    return this.#problems;
  }

  /** Problems of the files that give, or last gave, the workflow of this name. */
  problemsOf(name: string): readonly TemplateProblem[] {
    return [...this.#files.values()].filter(({ version }) => version?.name === name).flatMap(({ problems }) =>
      problems
    );
  }

  /** Looks at every file again, loads those that changed, and gives the versions that were not served before. */
  async reload(): Promise<readonly ResolvedVersion[]> {
    const problems: TemplateProblem[] = [];
    const files = new Map<string, KnownFile>();
    for (const path of await this.#find(problems)) {
      const file = await this.#look(path);
      if (file !== null) files.set(path, file);
    }
    const served = new Map<string, ResolvedVersion>();
    const givers = new Map<string, string>();
    for (const [path, { version, problems: own }] of files) {
      problems.push(...own);
      if (version === null) continue;
      const giver = givers.get(version.name);
      if (giver === undefined) {
        givers.set(version.name, path);
        served.set(version.name, version);
      } else problems.push(duplicateProblem(version.name, path, giver));
    }
    const before = this.#served;
    this.#files = files;
    this.#served = served;
    this.#problems = problems;
    return [...served.values()].filter((version) => before.get(version.name) !== version);
  }

  /** Removes temporary copies of modules. */
  close(): Promise<void> {
    return this.#modules.close();
  }

  async #find(problems: TemplateProblem[]): Promise<ReadonlySet<string>> {
    const paths = new Set<string>();
    for (const directory of this.#directories) {
      const { files, missing } = await findTemplateFiles(directory);
      if (missing) problems.push(missingProblem(directory));
      for (const path of files) paths.add(path);
    }
    return paths;
  }

  /** Null: not a template, but some other module. */
  async #look(path: string): Promise<KnownFile | null> {
    const known = this.#files.get(path);
    try {
      const { size } = await Deno.stat(path);
      if (size > MAX_FILE_BYTES) {
        return { digest: "", version: known?.version ?? null, problems: [sizeProblem(path, size)] };
      }
      const source = await readTemplateSource(path);
      // Cheaper than loading modules that only lie beside templates, and without what loading them might do.
      if (!source.source.includes("defineWorkflow")) return null;
      if (source.digest === known?.digest) return known;
      return await this.#load(source, known?.version ?? null);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      const problem = importProblem(path, error, (copy) => copy);
      return { digest: "", version: known?.version ?? null, problems: [problem] };
    }
  }

  async #load(file: TemplateSource, last: ResolvedVersion | null): Promise<KnownFile> {
    const result = await loadDefinition(this.#modules, file);
    if ("problems" in result) return { digest: file.digest, version: last, problems: result.problems };
    try {
      const version = definitionVersion(result.definition, file.digest);
      // A plan that no input changes is made now, so that what is wrong with it is known now.
      if (version.isStatic) version.plan(null);
      return {
        digest: file.digest,
        version: version.version === last?.version ? sameOr(last, version) : version,
        problems: [],
      };
    } catch (error) {
      return { digest: file.digest, version: last, problems: compileProblems(file.path, error) };
    }
  }
}

/** Keeps the very object when nothing that people see has changed, so that a save without a change is no news. */
function sameOr(last: ResolvedVersion, version: ResolvedVersion): ResolvedVersion {
  const same = last.title === version.title && last.description === version.description && last.name === version.name;
  return same && last.serializable ? last : version;
}

/** Imports a template file and gives the workflow that it exports, or what is wrong. */
export async function loadDefinition(
  modules: TemplateModules,
  file: TemplateSource,
): Promise<{ readonly definition: WorkflowDefinition } | { readonly problems: readonly TemplateProblem[] }> {
  try {
    const exported = await modules.load(file);
    if (isWorkflowDefinition(exported)) return { definition: exported };
    return {
      problems: [{
        code: "no-workflow",
        path: file.path,
        message: exported === undefined
          ? "The file has no default export"
          : "The file's default export was not made by defineWorkflow",
        suggestion: "Write: export default defineWorkflow({ name, template })",
      }],
    };
  } catch (error) {
    return { problems: [importProblem(file.path, error, (path) => modules.original(path))] };
  }
}

/** What is wrong with a definition, from what compiling it threw. */
export function compileProblems(path: string, error: unknown): readonly TemplateProblem[] {
  const cause = error instanceof CallError ? error.cause : error;
  if (cause instanceof TemplateError) {
    return cause.problems.map((problem) => templateProblem({ ...problem, path: `${path}#${problem.path}` }));
  }
  const message = error instanceof Error ? error.message : String(error);
  return [{ code: "cannot-compile", path, message }];
}

function duplicateProblem(name: string, path: string, giver: string): TemplateProblem {
  return {
    code: "duplicate-name",
    path,
    message: `Workflow "${name}" is already given by ${giver}`,
    suggestion: "Give one of the two another name",
  };
}

function missingProblem(directory: string): TemplateProblem {
  return {
    code: "no-directory",
    path: directory,
    message: `There is no directory "${directory}" to look for templates in`,
    suggestion: "Create it, or take it out of HUB_WORKFLOWS",
  };
}

function sizeProblem(path: string, bytes: number): TemplateProblem {
  return {
    code: "too-large",
    path,
    message: `The file has ${bytes} bytes: a template file may have at most ${MAX_FILE_BYTES}`,
  };
}
