import type { ConfigFiles } from "./config_files.ts";

/** The file system of this machine. */
export const denoFiles: ConfigFiles = {
  async readText(path: string): Promise<string | null> {
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  },

  async makeDir(path: string): Promise<void> {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  },

  async createSecret(path: string, text: string): Promise<boolean> {
    // A link fails where the name is taken, and a rename does not.
    return await withTemporary(path, text, async (temporary) => {
      try {
        await Deno.link(temporary, path);
        return true;
      } catch (error) {
        if (error instanceof Deno.errors.AlreadyExists) return false;
        throw error;
      }
    });
  },

  async replaceSecret(path: string, text: string): Promise<void> {
    await withTemporary(path, text, (temporary) => Deno.rename(temporary, path));
  },
};

/** Writes a whole file beside `path`, puts it in place, and leaves nothing behind. */
async function withTemporary<T>(path: string, text: string, place: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    }
    return await place(temporary);
  } finally {
    // Gone already where it was renamed.
    await Deno.remove(temporary).catch(() => {});
  }
}
