import { CallError } from "@alkdev/operations";
import type { AllowedPaths } from "./allowed_paths.ts";
import { openFile } from "./contained_files.ts";

const MAX_FILE_BYTES = 8 * 1024 * 1024;
const MAX_LINE_CHARS = 500;

/** Lines of a text file that pass, counted from 1. Files with a NUL, of more than 8 MiB, or gone by now, have none. */
export async function* searchFile(
  paths: AllowedPaths,
  path: string,
  test: (line: string) => boolean,
): AsyncGenerator<{ readonly line: number; readonly text: string }, void, undefined> {
  const text = await readText(paths, path);
  if (text.includes("\0")) return;
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    if (test(line)) yield { line: index + 1, text: line.slice(0, MAX_LINE_CHARS) };
  }
}

async function readText(paths: AllowedPaths, path: string): Promise<string> {
  try {
    await using file = await openFile(paths, path);
    if (file.size > MAX_FILE_BYTES) return "";
    return await file.handle.readFile({ encoding: "utf8" });
  } catch (error) {
    if (error instanceof CallError) return "";
    throw error;
  }
}
