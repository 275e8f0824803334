/** What reads task files. `Deno` is one as it stands. */
export interface TaskFileSystem {
  readTextFile(path: string): Promise<string>;
  readDir(
    path: string,
  ): AsyncIterable<{ readonly name: string; readonly isFile: boolean; readonly isDirectory: boolean }>;
}
