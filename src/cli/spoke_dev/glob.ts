/**
 * Whether paths with "/" match a glob: `*` and `?` within a segment, `**` across segments, `{a,b}`. Without a "/" the glob is
 * matched against the last segment.
 */
export function globMatcher(glob: string): (path: string) => boolean {
  const pattern = new RegExp(`^${toPattern(glob)}$`, "u");
  if (glob.includes("/")) return (path) => pattern.test(path);
  return (path) => pattern.test(path.slice(path.lastIndexOf("/") + 1));
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
