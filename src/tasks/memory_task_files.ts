import type { TaskFiles } from "./ports.ts";

/** Files in memory, by path: the reference implementation. */
export function createMemoryTaskFiles(files: Map<string, string>): TaskFiles {
  return {
    read({ source: { directory } }) {
      const found = [...files].filter(([path]) => path.startsWith(`${directory}/`) && path.endsWith(".md"));
      return Promise.resolve(found.map(([path, text]) => ({ path, text })).sort((a, b) => a.path < b.path ? -1 : 1));
    },
    write({ path, text, before }) {
      const now = files.get(path) ?? null;
      if (now !== text && now !== before) return Promise.resolve(false);
      files.set(path, text);
      return Promise.resolve(true);
    },
  };
}
