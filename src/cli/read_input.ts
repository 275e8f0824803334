import { usageError } from "./cli_error.ts";

/** The value of an option: JSON, or with `@` the path of a file that holds JSON (`@-` is stdin). Undefined: not given. */
export async function readInput(text: string | undefined, option = "--input"): Promise<unknown> {
  if (text === undefined) return undefined;
  const source = text.startsWith("@") ? await readSource(text.slice(1)) : text;
  try {
    return JSON.parse(source);
  } catch (error) {
    const what = text.startsWith("@") ? `File "${text.slice(1)}"` : `${option} "${text}"`;
    const why = error instanceof Error ? error.message : String(error);
    throw usageError(`${what} is not JSON: ${why}`, `Write ${option} '{"name": "value"}', or ${option} @file.json`);
  }
}

async function readSource(path: string): Promise<string> {
  try {
    return path === "-" ? await new Response(Deno.stdin.readable).text() : await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw usageError(`There is no file "${path}" to read the input from`);
    throw error;
  }
}
