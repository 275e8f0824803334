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
    const temporary = `${path}.${crypto.randomUUID()}`;
    try {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
      await file.write(new TextEncoder().encode(text));
      await file.sync();
      // A link fails where the name is taken, and a rename does not.
      await Deno.link(temporary, path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) return false;
      throw error;
    } finally {
      await Deno.remove(temporary).catch(() => {});
    }
  },
};
