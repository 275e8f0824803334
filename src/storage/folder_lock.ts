import process from "node:process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/**
 * Makes `folder` this process's own through `<folder>/database.lock` (`<pid> <start time>`). A lock whose process is gone, or whose
 * pid has since been given to another process, is taken over. Returns the unlock.
 *
 * @throws Error when a live process holds it.
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/database.lock`;
  const mine = `${process.pid} ${startTime(process.pid)}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(path, mine, { flag: "wx", mode: 0o600 });
      return () => release(path, mine);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "EEXIST") throw error;
    }
    const holder = read(path);
    if (holder !== null && isAlive(holder)) {
      throw new Error(
        `Cannot open the embedded database in "${folder}": process ${holder.split(" ")[0]} has it open. ` +
          `Stop that process, or give this one another data directory (HUB_DATA_DIR)`,
      );
    }
    if (holder !== null) rmSync(path, { force: true });
  }
  throw new Error(`Cannot open the embedded database in "${folder}": its lock file keeps changing hands`);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function release(path: string, mine: string): void {
  if (read(path) === mine) rmSync(path, { force: true });
}

function isAlive(holder: string): boolean {
  const [pidText = "", start = ""] = holder.split(" ");
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  const now = startTime(pid);
  return now === "?" || start === "?" || now === start;
}

/** When a process began, in the kernel's ticks since boot; "?" where there is no /proc. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "?";
  } catch {
    return "?";
  }
}
