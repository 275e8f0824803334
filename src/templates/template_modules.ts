import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { contentHash } from "./content_hash.ts";
import { localImports, rewriteImports } from "./local_imports.ts";

/** A template file as it lies on disk, with the files of ours that it imports. */
export interface TemplateSource {
  readonly path: string;
  readonly source: string;
  /** By path: relative imports, and theirs. */
  readonly imports: ReadonlyMap<string, string>;
  /** Of source and imports. */
  readonly digest: string;
}

/** Reads a template file and what it imports. */
export async function readTemplateSource(path: string): Promise<TemplateSource> {
  const source = await Deno.readTextFile(path);
  const imports = await localImports(path, source);
  return { path, source, imports, digest: contentHash(JSON.stringify([source, ...imports.values()])) };
}

/**
 * Imports template modules as they are on disk now, which the module cache of the runtime does not do: it holds each URL for
 * ever. A file is imported with its digest in the URL's query. When something that it imports has changed since that was first loaded,
 * the file and its imports are copied under fresh names into a temporary folder, and imported from there.
 */
export class TemplateModules {
  /** Text of each imported file when it was first loaded under its own name. */
  readonly #loaded = new Map<string, string>();
  readonly #originals = new Map<string, string>();
  #folder: string | null = null;

  /** The module's default export; undefined without one. Rejects with what loading it threw. */
  async load(file: TemplateSource): Promise<unknown> {
    const changed = [...file.imports].some(([path, text]) => (this.#loaded.get(path) ?? text) !== text);
    const url = changed ? await this.#copy(file) : versioned(file);
    if (!changed) { for (const [path, text] of file.imports) this.#loaded.set(path, text); }
    const module: { readonly default?: unknown } = await import(url);
    return module.default;
  }

  /** The path of which the file at `path` is a copy; itself when it is none. */
  original(path: string): string {
    return this.#originals.get(path) ?? path;
  }

  /** Removes the copies. What was loaded from them stays usable. */
  async close(): Promise<void> {
    const folder = this.#folder;
    this.#folder = null;
    if (folder !== null) await Deno.remove(folder, { recursive: true }).catch(() => {});
  }

  async #copy(file: TemplateSource): Promise<string> {
    this.#folder ??= await Deno.makeTempDir({ prefix: "hub-templates-" });
    const folder = join(this.#folder, file.digest.slice(0, 32));
    await Deno.mkdir(folder, { recursive: true });
    const texts = new Map([[file.path, file.source], ...file.imports]);
    const copies = new Map([...texts.keys()].map((path, index) => [path, join(folder, `${index}_${basename(path)}`)]));
    const place = (target: string) => pathToFileURL(copies.get(target) ?? target);
    for (const [path, copy] of copies) {
      this.#originals.set(copy, path);
      await Deno.writeTextFile(copy, rewriteImports(path, texts.get(path) ?? "", place));
    }
    return place(file.path).href;
  }
}

function versioned({ path, digest }: TemplateSource): string {
  return `${pathToFileURL(path).href}?v=${digest.slice(0, 32)}`;
}
