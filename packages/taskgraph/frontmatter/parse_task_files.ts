import { InvalidInputError } from "../error/taskgraph_error.ts";
import type { TaskInput } from "../schema/task_input.ts";
import { nodeFileSystem } from "./node_file_system.ts";
import { parseFrontmatter } from "./parse_frontmatter.ts";
import type { TaskFileSystem } from "./task_file_system.ts";

/**
 * The task in a markdown file.
 *
 * @param fs default: `node:fs/promises`, which Node, Deno and Bun have
 * @throws {InvalidInputError} as {@linkcode parseFrontmatter}; what `fs` throws comes as it is
 */
export async function parseTaskFile(
  path: string,
  fs: Pick<TaskFileSystem, "readTextFile"> = nodeFileSystem,
): Promise<TaskInput> {
  return parseFrontmatter(await fs.readTextFile(path));
}

export interface ParseTaskDirectoryOptions {
  /** Told about files that hold no valid task. Default: nobody is. */
  readonly onSkip?: (path: string, error: InvalidInputError) => void;
}

/**
 * The tasks in the `.md` files of a directory and those below it, by path. Files that hold no valid task are left out; what
 * `fs` throws comes as it is. Links are not followed.
 *
 * @param fs as of {@linkcode parseTaskFile}
 */
export async function parseTaskDirectory(
  directory: string,
  fs: TaskFileSystem = nodeFileSystem,
  options: ParseTaskDirectoryOptions = {},
): Promise<TaskInput[]> {
  const tasks: TaskInput[] = [];
  for (const path of await markdownFiles(directory, fs)) {
    try {
      tasks.push(await parseTaskFile(path, fs));
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      options.onSkip?.(path, error);
    }
  }
  return tasks;
}

async function markdownFiles(directory: string, fs: TaskFileSystem): Promise<string[]> {
  const found: string[] = [];
  const todo = [directory.replace(/(?<=.)\/+$/, "")];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for await (const { name, isFile, isDirectory } of fs.readDir(at)) {
      const path = at.endsWith("/") ? `${at}${name}` : `${at}/${name}`;
      if (isDirectory) todo.push(path);
      else if (isFile && name.endsWith(".md")) found.push(path);
    }
  }
  return found.sort();
}
