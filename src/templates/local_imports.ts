import { fileURLToPath, pathToFileURL } from "node:url";

/** A relative module specifier in an import, a re-export or a dynamic import of a literal. */
const RELATIVE_IMPORT = /\b(from|import)(\s*\(?\s*)(["'])(\.{1,2}\/[^"'\n]+)\3/g;

/**
 * The files that a module is made of beside itself, by path: what it imports by relative path, and what those import. Works
 * on the text, so it may name a file that only a comment imports; what cannot be read is left out.
 */
export async function localImports(path: string, source: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const queue: { readonly path: string; readonly source: string }[] = [{ path, source }];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    for (const match of item.source.matchAll(RELATIVE_IMPORT)) {
      const target = resolveImport(item.path, match[4] ?? "");
      if (target === path || found.has(target)) continue;
      const text = await Deno.readTextFile(target).catch(() => null);
      if (text === null) continue;
      found.set(target, text);
      queue.push({ path: target, source: text });
    }
  }
  return found;
}

/** The text of the module at `path` with each relative import replaced by the URL that `place` gives for its file. */
export function rewriteImports(path: string, source: string, place: (target: string) => URL): string {
  return source.replace(
    RELATIVE_IMPORT,
    (_, keyword: string, gap: string, quote: string, specifier: string) =>
      `${keyword}${gap}${quote}${place(resolveImport(path, specifier)).href}${quote}`,
  );
}

function resolveImport(path: string, specifier: string): string {
  return fileURLToPath(new URL(specifier, pathToFileURL(path)));
}
