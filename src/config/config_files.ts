/** What configuration needs of a file system. */
export interface ConfigFiles {
  /** Null when there is no such file. */
  readText(path: string): Promise<string | null>;
  /** Makes the directory and its parents, readable by its owner alone where it is new. */
  makeDir(path: string): Promise<void>;
  /**
   * Writes a file that only its owner can read, whole or not at all. False when the file is there already: nothing was
   * written. So of several processes that start at once exactly one writes.
   */
  createSecret(path: string, text: string): Promise<boolean>;
  /** As {@linkcode ConfigFiles.createSecret}, in the place of what is there. */
  replaceSecret(path: string, text: string): Promise<void>;
}
