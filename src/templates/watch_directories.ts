/** So long nothing must change before a change is told, in ms: one save is several events. */
const QUIET_MS = 60;

/** Calls `onChange` after changes under the directories have settled; directories that are not there are not watched. */
export function watchDirectories(directories: readonly string[], onChange: () => void): { close(): void } {
  const present = directories.filter(isDirectory);
  if (present.length === 0) return { close() {} };
  const watcher = Deno.watchFs(present, { recursive: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const follow = async () => {
    for await (const event of watcher) {
      if (event.kind === "access") continue;
      clearTimeout(timer);
      timer = setTimeout(onChange, QUIET_MS);
    }
  };
  void follow();
  return {
    close() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
