/** Processes that a program has started, found again however they have left its group. */

/** In the environment of a program and, as it is inherited, of all that come of it. */
const MARK = "HUB_SPOKE_CALL";
/** Each sweep may find what was forked during the last one. */
const MAX_SWEEPS = 20;

export interface ProcessMark {
  readonly env: Readonly<Record<string, string>>;
  readonly entry: string;
}

export function newProcessMark(): ProcessMark {
  const id = crypto.randomUUID();
  return { env: { [MARK]: id }, entry: `${MARK}=${id}` };
}

/**
 * Kills the group that a program leads and, on Linux, whoever carries its mark in a group or session of its own. A process that
 * wipes its environment before it leaves the group is not found: against that only a container helps.
 */
export async function killTree(pid: number, { entry }: ProcessMark): Promise<void> {
  // A negative id is the group's.
  kill(-pid);
  if (Deno.build.os !== "linux") return;
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    const found = await marked(entry);
    if (found.length === 0) return;
    for (const id of found) kill(id);
  }
}

async function marked(entry: string): Promise<readonly number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const id = Number(name);
    if (!Number.isInteger(id)) continue;
    // Of others, or gone by now. A zombie has no environment any more.
    const environment = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
    if (environment.split("\0").includes(entry)) found.push(id);
  }
  return found;
}

function kill(id: number): void {
  try {
    Deno.kill(id, "SIGKILL");
  } catch {
    // It has ended.
  }
}
