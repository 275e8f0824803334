import type { ConfigFiles } from "./config_files.ts";

/** Files in a map, for tests. */
export class MemoryFiles implements ConfigFiles {
  readonly texts: Map<string, string>;
  readonly dirs: Set<string> = new Set();

  constructor(texts: Readonly<Record<string, string>> = {}) {
    this.texts = new Map(Object.entries(texts));
  }

  readText(path: string): Promise<string | null> {
    return Promise.resolve(this.texts.get(path) ?? null);
  }

  makeDir(path: string): Promise<void> {
    this.dirs.add(path);
    return Promise.resolve();
  }

  createSecret(path: string, text: string): Promise<boolean> {
    if (this.texts.has(path)) return Promise.resolve(false);
    this.texts.set(path, text);
    return Promise.resolve(true);
  }

  replaceSecret(path: string, text: string): Promise<void> {
    this.texts.set(path, text);
    return Promise.resolve();
  }
}
