import { fileURLToPath } from "node:url";
import type { TemplateProblem } from "../runs/ports.ts";

const PLACE = /(file:\/\/[^\s)]+?)(?:\?[^:\s)]*)?:(\d+):(\d+)/;

/**
 * What went wrong when a template file was imported, with its place: `<path>:<line>:<column>`, or the path alone.
 * `original` gives the path of the file that a loaded one is a copy of.
 */
export function importProblem(path: string, error: unknown, original: (path: string) => string): TemplateProblem {
  const message = error instanceof Error ? error.message : String(error);
  // The runtime reports what it cannot parse as a TypeError whose message starts so.
  const isSyntax = error instanceof SyntaxError || message.startsWith("SyntaxError: ");
  const place = placeOf(message, original) ?? (error instanceof Error ? placeOf(error.stack ?? "", original) : null);
  const what = (message.split("\n")[0] ?? "").replace("SyntaxError: ", "").replace(/ ?(at )?file:\/\/\S+$/, "");
  return {
    code: isSyntax ? "syntax-error" : "load-error",
    path: place ?? path,
    message: what === "" ? "The file cannot be loaded" : what,
    ...(!isSyntax && {
      suggestion: "Loading a template must neither fail nor do work: keep its top level to imports and defineWorkflow",
    }),
  };
}

function placeOf(text: string, original: (path: string) => string): string | null {
  const match = PLACE.exec(text);
  if (match === null) return null;
  return `${original(fileURLToPath(match[1] ?? ""))}:${match[2]}:${match[3]}`;
}
