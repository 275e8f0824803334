import { gzipSync } from "node:zlib";
import type { Archive, ArchiveFile } from "./ports.ts";

/** Files in one folder, made on first use; each batch of lines is a gzip member of its own, so that what is written stays readable. */
export function createArchiveFolder(folder: string): Archive {
  return {
    async open(name) {
      await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await Deno.open(`${folder}/${name}`, { write: true, createNew: true, mode: 0o600 });
      await syncFolder(folder);
      return new GzipFile(name, file);
    },
  };
}

/** A new name is durable when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  using handle = await Deno.open(folder, { read: true });
  await handle.sync();
}

class GzipFile implements ArchiveFile {
  readonly name: string;
  readonly #file: Deno.FsFile;

  constructor(name: string, file: Deno.FsFile) {
    this.name = name;
    this.#file = file;
  }

  async append(lines: readonly string[]): Promise<void> {
    const bytes = gzipSync(lines.map((line) => `${line}\n`).join(""));
    for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
    await this.#file.sync();
  }

  close(): Promise<void> {
    this.#file.close();
    return Promise.resolve();
  }
}
