/** Reads or makes the hub's own id: stable over restarts, so that a hub that comes back takes its runs up at once. */
export async function hubIdOf(dataDir: string): Promise<string> {
  const path = `${dataDir}/hub.id`;
  const fresh = crypto.randomUUID();
  try {
    await Deno.writeTextFile(path, `${fresh}\n`, { createNew: true, mode: 0o600 });
    return fresh;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return (await Deno.readTextFile(path)).trim();
  }
}
