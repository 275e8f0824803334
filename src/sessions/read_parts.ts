import { invalid } from "./session_error.ts";
import type { Part } from "./session.ts";

const MAX_PARTS = 64;
/** Characters of all texts of a message. */
const MAX_TEXT = 512 * 1024;
/** Characters of all files that a message holds itself. */
const MAX_FILES = 16 * 1024 * 1024;
const MEDIA_TYPE = /^[a-z]+\/[a-z0-9.+-]{1,100}$/i;

/** What a person may say: texts and files. @throws CallError VALIDATION_ERROR */
export function readParts(
  { text, parts }: { readonly text?: string; readonly parts?: readonly Part[] },
): readonly Part[] {
  const given: readonly Part[] = text === undefined ? parts ?? [] : [{ type: "text", text }];
  if (text !== undefined && parts !== undefined) throw invalid("/parts", 'Give "text" or "parts", not both');
  if (given.length === 0) throw invalid("/text", "Nothing is said: give a text or parts");
  if (given.length > MAX_PARTS) {
    throw invalid("/parts", `A message has at most ${MAX_PARTS} parts, not ${given.length}`);
  }
  let [chars, bytes] = [0, 0];
  for (const [at, part] of given.entries()) {
    const path = text === undefined ? `/parts/${at}` : "/text";
    if (part.type === "text") {
      if (part.text === "") throw invalid(path, "A text must not be empty");
      chars += part.text.length;
    } else if (part.type === "file") {
      bytes += part.url.length;
      checkFile(part, path);
    } else throw invalid(`${path}/type`, `A part of type "${part.type}" cannot be said: wanted "text" or "file"`);
  }
  if (chars > MAX_TEXT) throw invalid("/text", `A message has at most ${MAX_TEXT} characters, not ${chars}`);
  if (bytes > MAX_FILES) {
    throw invalid("/parts", `Files of a message have at most ${MAX_FILES} characters, not ${bytes}`);
  }
  return given;
}

function checkFile({ mediaType, url }: Extract<Part, { type: "file" }>, path: string): void {
  if (!MEDIA_TYPE.test(mediaType)) throw invalid(`${path}/mediaType`, `"${mediaType}" is no media type`);
  if (!/^(https:\/\/|data:)/i.test(url)) {
    throw invalid(`${path}/url`, `A file is given as an "https:" or "data:" URL, not as "${url.slice(0, 40)}"`);
  }
}
