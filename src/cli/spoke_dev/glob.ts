import { CallError, linearPattern, PatternError } from "@alkdev/operations";

/**
 * Whether paths with "/" match a glob: `*` and `?` within a segment, `**` across segments, `{a,b}`. Without a "/" the glob is
 * matched against the last segment. The time grows with the path alone: whoever asks chooses the glob.
 *
 * @throws {CallError} `VALIDATION_ERROR` for a glob that comes to too large a pattern
 */
export function globMatcher(glob: string): (path: string) => boolean {
  const pattern = compile(glob);
  if (glob.includes("/")) return (path) => pattern.test(path);
  return (path) => pattern.test(path.slice(path.lastIndexOf("/") + 1));
}

function compile(glob: string): ReturnType<typeof linearPattern> {
  try {
    return linearPattern(`^${toPattern(glob)}$`);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new CallError("VALIDATION_ERROR", `Glob "${glob}" cannot be matched: ${error.message}`);
  }
}

function toPattern(glob: string): string {
  let pattern = "";
  let depth = 0;
  for (let index = 0; index < glob.length; index++) {
    const char = glob.charAt(index);
    if (char === "*" && glob[index + 1] === "*") {
      const slash = glob[index + 2] === "/";
      pattern += slash ? "(?:[^/]+/)*" : ".*";
      index += slash ? 2 : 1;
    } else if (char === "*") pattern += "[^/]*";
    else if (char === "?") pattern += "[^/]";
    else if (char === "{") {
      pattern += "(?:";
      depth++;
    } else if (char === "}" && depth > 0) {
      pattern += ")";
      depth--;
    } else if (char === "," && depth > 0) pattern += "|";
    else pattern += /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
  }
  return pattern + ")".repeat(depth);
}
