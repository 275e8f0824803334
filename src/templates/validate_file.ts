import { resolve } from "node:path";
import type { TemplateProblem } from "../runs/ports.ts";
import { definitionVersion } from "./definition_version.ts";
import { compileProblems, loadDefinition } from "./file_templates.ts";
import { readTemplateSource, TemplateModules } from "./template_modules.ts";
import { type KnownOperations, validateDefinition } from "./validate_version.ts";
import type { ResolvedVersion } from "./workflow_version.ts";

/** What a template file holds, and everything wrong with it. `version` is null when it cannot be loaded. */
export interface FileValidation {
  readonly version: ResolvedVersion | null;
  readonly problems: readonly TemplateProblem[];
}

const NONE: KnownOperations = { spec: () => undefined, ids: () => [] };

/**
 * Loads one template file and checks it. `operations` null: nothing is known of operations, so unknown ones are no problem.
 */
export async function validateFile(path: string, operations: KnownOperations | null): Promise<FileValidation> {
  const modules = new TemplateModules();
  try {
    const source = await readTemplateSource(resolve(path));
    const result = await loadDefinition(modules, source);
    if ("problems" in result) return { version: null, problems: result.problems };
    const found = validateDefinition(result.definition, operations ?? NONE);
    const problems = found.filter(({ code }) => operations !== null || code !== "unknown-operation");
    return { version: definitionVersion(result.definition, source.digest), problems };
  } catch (error) {
    return { version: null, problems: compileProblems(path, error) };
  } finally {
    await modules.close();
  }
}
