import { InvalidInputError } from "../error/taskgraph_error.ts";

/** A markdown file in its two parts. */
export interface SplitMarkdown {
  /** YAML, without its dashes. */
  readonly frontmatter: string;
  /** Markdown, from the line after the closing dashes. */
  readonly body: string;
}

const OPENING = /^\uFEFF?---[ \t]*\r?\n/;
const CLOSING = /(?:^|\r?\n)---[ \t]*(?:\r?\n|$)/;

/** @throws {InvalidInputError} unless the first line, and a later one, are exactly three dashes */
export function splitFrontmatter(markdown: string): SplitMarkdown {
  const opening = OPENING.exec(markdown);
  if (opening === null) {
    throw new InvalidInputError("frontmatter", `Frontmatter is missing: wanted "---" on the first line`);
  }
  const rest = markdown.slice(opening[0].length);
  const closing = CLOSING.exec(rest);
  if (closing === null) {
    throw new InvalidInputError("frontmatter", `Frontmatter has no end: wanted "---" on a line of its own`);
  }
  return { frontmatter: rest.slice(0, closing.index), body: rest.slice(closing.index + closing[0].length) };
}
