const MAX_FILE_BYTES = 8 * 1024 * 1024;
const MAX_LINE_CHARS = 500;

/** Lines of a text file that pass, counted from 1. Files with a NUL, or of more than 8 MiB, have none. */
export async function* searchFile(
  path: string,
  test: (line: string) => boolean,
): AsyncGenerator<{ readonly line: number; readonly text: string }, void, undefined> {
  const { size } = await Deno.stat(path);
  if (size > MAX_FILE_BYTES) return;
  const text = await Deno.readTextFile(path);
  if (text.includes("\0")) return;
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    if (test(line)) yield { line: index + 1, text: line.slice(0, MAX_LINE_CHARS) };
  }
}
