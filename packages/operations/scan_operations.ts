import { Value } from "@alkdev/typebox/value";
import type { AnyHandler } from "./operation_context.ts";
import { OperationSpecSchema } from "./schemas.ts";
import type { OperationRegistration } from "./registry.ts";

/** What finds the files of operations. */
export interface ScannerFS {
  /** The entries of a directory, whose path is absolute. */
  readdir(
    path: string,
  ): AsyncIterable<{ readonly name: string; readonly isFile: boolean; readonly isDirectory: boolean }>;
  /** What a relative directory is relative to. */
  cwd(): string;
}

export interface ScanOptions {
  /** Told about files that hold no operation, and why. Default: `console.warn`. */
  readonly warn?: (message: string, error?: unknown) => void;
  /** Imports a module by its file URL. Default: `import()`. */
  readonly import?: (url: string) => Promise<unknown>;
  /** How names of files end. Default: `.ts`; a runtime that reads no TypeScript wants `.js`. */
  readonly extensions?: readonly string[];
}

/**
 * The operations in the files of a directory and those below it, by path: those that a file has as its default export. Other
 * files are skipped with a warning; tests (`_test`, `.test`) and declarations (`.d.ts`) without. Every other file is run.
 *
 * @throws what `fs` throws
 */
export async function scanOperations(
  directory: string,
  fs: ScannerFS,
  options: ScanOptions = {},
): Promise<OperationRegistration[]> {
  const load = options.import ?? ((url: string): Promise<unknown> => import(url));
  const warn = options.warn ?? ((message: string, error?: unknown): void => console.warn(message, error ?? ""));
  const found: OperationRegistration[] = [];
  for (const path of await sourceFiles(toAbsolute(directory, fs), fs, options.extensions ?? [".ts"])) {
    try {
      const operation = defaultExport(await load(toFileUrl(path)));
      if (isRegistration(operation)) found.push(operation);
      else warn(`Skipped "${path}": its default export is no operation${firstProblem(operation)}`);
    } catch (error) {
      warn(`Skipped "${path}": it cannot be imported`, error);
    }
  }
  return found;
}

async function sourceFiles(directory: string, fs: ScannerFS, extensions: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const todo = [directory];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for await (const { name, isFile, isDirectory } of fs.readdir(at)) {
      const path = `${at.replace(/\/$/, "")}/${name}`;
      if (isDirectory) todo.push(path);
      else if (isFile && isSource(name, extensions)) found.push(path);
    }
  }
  return found.sort();
}

function isSource(name: string, extensions: readonly string[]): boolean {
  return extensions.some((extension) => name.endsWith(extension)) && !/([._]test\.|\.d\.)[a-z]+$/.test(name);
}

const ABSOLUTE = /^([a-z]:)?\//i;

function toAbsolute(directory: string, fs: ScannerFS): string {
  const path = directory.replaceAll("\\", "/").replace(/(?<=.)\/+$/, "");
  return ABSOLUTE.test(path) ? path : `${fs.cwd().replaceAll("\\", "/").replace(/\/+$/, "")}/${path}`;
}

function toFileUrl(path: string): string {
  const url = new URL("file:///");
  // A pathname takes everything but these as it is.
  url.pathname = path.replaceAll("%", "%25").replaceAll("?", "%3F").replaceAll("#", "%23");
  return url.href;
}

function defaultExport(module: unknown): unknown {
  return typeof module === "object" && module !== null && "default" in module ? module.default : undefined;
}

function isRegistration(value: unknown): value is OperationRegistration & { readonly handler?: AnyHandler } {
  if (!Value.Check(OperationSpecSchema, value)) return false;
  return !("handler" in value) || value.handler === undefined || typeof value.handler === "function";
}

function firstProblem(value: unknown): string {
  const problem = Value.Errors(OperationSpecSchema, value).First();
  return value === undefined || problem === undefined || problem.path === ""
    ? ""
    : `, by its "${problem.path.slice(1)}"`;
}
