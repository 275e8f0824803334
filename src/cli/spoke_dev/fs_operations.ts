import { Type } from "@alkdev/typebox";
import { CallError, linearPattern } from "@alkdev/operations";
import type { SpokeOperation } from "@alkdev/spoke";
import { lstat } from "node:fs/promises";
import { relative } from "node:path";
import type { AllowedPaths } from "./allowed_paths.ts";
import { createFile, openFile } from "./contained_files.ts";
import { defineOperation } from "./define_operation.ts";
import { globMatcher } from "./glob.ts";
import { searchFile } from "./search_file.ts";
import { filesAt } from "./walk.ts";

const DEFAULT_LIST = 1_000;
const MAX_LIST = 10_000;
const DEFAULT_READ_BYTES = 1024 * 1024;
const MAX_READ_BYTES = 3 * 1024 * 1024;
const DEFAULT_MATCHES = 200;
const MAX_MATCHES = 5_000;

const Path = Type.String({ maxLength: 4096, description: "Relative to a root, or absolute inside one" });
const Glob = Type.String({ maxLength: 500, description: "*, ?, ** and {a,b}" });
const PATH_ERRORS = [
  { code: "PATH_NOT_ALLOWED", description: "The path is outside the allowed roots", schema: {}, httpStatus: 403 },
  { code: "NOT_FOUND", description: "There is nothing at the path", schema: {}, httpStatus: 404 },
];

/** `fs.list`, `fs.read`, `fs.write` and `fs.search`, inside the allowed roots. */
export function fsOperations(paths: AllowedPaths): readonly SpokeOperation[] {
  return [list(paths), read(paths), write(paths), search(paths)];
}

function list(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "fs",
    name: "list",
    type: "query",
    description: "Lists files with size in bytes and mtime in ms since the epoch.",
    errorSchemas: PATH_ERRORS,
    inputSchema: Type.Object({
      path: Type.Optional(Path),
      glob: Type.Optional(Glob),
      recursive: Type.Optional(Type.Boolean()),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIST })),
    }),
    outputSchema: Type.Object({
      files: Type.Array(Type.Object({ path: Type.String(), size: Type.Integer(), mtime: Type.Number() })),
      truncated: Type.Boolean(),
    }),
    handler: async (
      { path = ".", glob, recursive = glob?.includes("/") ?? false, limit = DEFAULT_LIST },
      { signal },
    ) => {
      const start = await paths.existing(path);
      const matches = glob === undefined ? () => true : globMatcher(glob);
      const files = [];
      for await (const found of filesAt(paths, start.path, recursive, signal)) {
        if (!matches(found.path)) continue;
        if (files.length === limit) return { files, truncated: true };
        const stat = await lstat(found.absolute).catch(() => null);
        if (stat === null) continue; // Gone since it was found.
        files.push({ path: relative(start.root, found.absolute), size: stat.size, mtime: stat.mtimeMs });
      }
      return { files, truncated: false };
    },
  });
}

function read(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "fs",
    name: "read",
    type: "query",
    description: "Reads a text file, or its first maxBytes.",
    errorSchemas: PATH_ERRORS,
    inputSchema: Type.Object({
      path: Path,
      maxBytes: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_READ_BYTES })),
    }),
    outputSchema: Type.Object({ text: Type.String(), size: Type.Integer(), truncated: Type.Boolean() }),
    handler: async ({ path, maxBytes = DEFAULT_READ_BYTES }) => {
      await using file = await openFile(paths, path);
      const { handle, size } = file;
      const bytes = new Uint8Array(Math.min(size, maxBytes));
      let length = 0;
      while (length < bytes.length) {
        const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      const truncated = size > length;
      // A character cut in two at the end is left out.
      return { text: new TextDecoder().decode(bytes.subarray(0, length), { stream: truncated }), size, truncated };
    },
  });
}

function write(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "fs",
    name: "write",
    type: "mutation",
    description: "Writes a text file in a directory that is there.",
    errorSchemas: PATH_ERRORS,
    inputSchema: Type.Object({ path: Path, text: Type.String() }),
    outputSchema: Type.Object({ path: Type.String(), size: Type.Integer() }),
    handler: async ({ path, text }) => {
      await using file = await createFile(paths, path);
      const bytes = new TextEncoder().encode(text);
      await file.handle.writeFile(bytes);
      return { path: relative(file.root, file.path), size: bytes.length };
    },
  });
}

function search(paths: AllowedPaths): SpokeOperation {
  return defineOperation({
    namespace: "fs",
    name: "search",
    type: "query",
    description: "Finds lines that contain a text, in the files under a path.",
    errorSchemas: PATH_ERRORS,
    inputSchema: Type.Object({
      path: Type.Optional(Path),
      pattern: Type.String({
        minLength: 1,
        maxLength: 1000,
        description: "Plain text, or a regular expression with regex",
      }),
      regex: Type.Optional(Type.Boolean()),
      glob: Type.Optional(Glob),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_MATCHES })),
    }),
    outputSchema: Type.Object({
      matches: Type.Array(Type.Object({ path: Type.String(), line: Type.Integer(), text: Type.String() })),
      truncated: Type.Boolean(),
    }),
    handler: async ({ path = ".", pattern, regex = false, glob, limit = DEFAULT_MATCHES }, { signal }) => {
      const start = await paths.existing(path);
      const matchesName = glob === undefined ? () => true : globMatcher(glob);
      const test = lineTest(pattern, regex);
      const matches = [];
      for await (const found of filesAt(paths, start.path, true, signal)) {
        if (!matchesName(found.path)) continue;
        for await (const { line, text } of searchFile(paths, found.absolute, test)) {
          if (matches.length === limit) return { matches, truncated: true };
          matches.push({ path: relative(start.root, found.absolute), line, text });
        }
      }
      return { matches, truncated: false };
    },
  });
}

function lineTest(pattern: string, regex: boolean): (line: string) => boolean {
  if (!regex) return (line) => line.includes(pattern);
  try {
    const expression = linearPattern(pattern);
    return (line) => expression.test(line);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CallError("VALIDATION_ERROR", `Field "pattern" is not a regular expression: ${reason}`);
  }
}
