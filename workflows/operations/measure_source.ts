import { type Language, languageOf } from "./languages.ts";

/** What a look at one file's text tells. Counts are lines. */
export interface SourceMeasure {
  readonly lines: number;
  /** Lines with code on them, whether or not a comment follows. */
  readonly code: number;
  /** Lines with a comment and no code. */
  readonly comment: number;
  readonly blank: number;
  /** Comments that say TODO, FIXME or XXX. */
  readonly todos: number;
  readonly imports: readonly string[];
  readonly functions: number;
  /** Null: no function was seen. `line` counts from 1. */
  readonly longestFunction: { readonly name: string; readonly line: number; readonly lines: number } | null;
}

/** Longer lines are generated text; heads are not looked for in them, so that no pattern meets a megabyte. */
const MAX_HEAD_LENGTH = 400;

interface OpenFunction {
  readonly name: string;
  readonly line: number;
  /** Depth of braces, or columns of indentation, at its head. */
  readonly level: number;
  entered: boolean;
}

/** Measures a source text of the language that `path` names. An unknown language has neither comments nor functions. */
export function measureSource(path: string, text: string): SourceMeasure {
  const language = languageOf(path);
  const source = text.endsWith("\n") ? text.slice(0, -1) : text;
  const lines = source === "" ? [] : source.split(/\r?\n/);
  const split = language === null ? lines.map((line) => ({ code: line, comment: "" })) : splitComments(lines, language);
  let code = 0, comment = 0, blank = 0, todos = 0;
  for (const line of split) {
    if (line.code.trim() !== "") code++;
    else if (line.comment.trim() !== "") comment++;
    else blank++;
    if (/\b(TODO|FIXME|XXX)\b/.test(line.comment)) todos++;
  }
  const found = language === null ? [] : findFunctions(split.map((line) => line.code), language);
  const longest = found.reduce<SourceMeasure["longestFunction"]>(
    (best, item) => best === null || item.lines > best.lines ? item : best,
    null,
  );
  const imports = language === null ? [] : findImports(lines, language);
  return {
    lines: lines.length,
    code,
    comment,
    blank,
    todos,
    imports,
    functions: found.length,
    longestFunction: longest,
  };
}

interface SplitLine {
  /** The line without comments, what stands in strings replaced by nothing. */
  readonly code: string;
  readonly comment: string;
}

function splitComments(lines: readonly string[], language: Language): SplitLine[] {
  // What the last line left open: a block comment, or a string that may span lines.
  let open: "comment" | "`" | null = null;
  return lines.map((line) => {
    let code = "", comment = "", at = 0;
    while (at < line.length) {
      if (open === "comment") {
        const close = language.blockComment?.[1] ?? "";
        const end = line.indexOf(close, at);
        comment += line.slice(at, end < 0 ? line.length : end) + "*";
        if (end < 0) break;
        at = end + close.length;
        open = null;
        continue;
      }
      if (open === "`") {
        const end = endOfString(line, at, "`");
        code += "`";
        at = end < 0 ? line.length : end;
        if (end >= 0) open = null;
        continue;
      }
      if (language.lineComments.some((mark) => line.startsWith(mark, at))) {
        comment += line.slice(at);
        break;
      }
      if (language.blockComment !== null && line.startsWith(language.blockComment[0], at)) {
        open = "comment";
        at += language.blockComment[0].length;
        continue;
      }
      const character = line.charAt(at++);
      code += character;
      if (!language.quotes.includes(character)) continue;
      const end = endOfString(line, at, character);
      if (end >= 0) {
        code += character;
        at = end;
      } else if (character === "`") {
        open = "`";
        at = line.length;
      }
    }
    return { code, comment };
  });
}

/** Index after the closing quote, or -1 when the line has none. */
function endOfString(line: string, from: number, quote: string): number {
  for (let at = from; at < line.length; at++) {
    if (line[at] === "\\") at++;
    else if (line[at] === quote) return at + 1;
  }
  return -1;
}

function firstGroup(match: RegExpMatchArray): string {
  return match.slice(1).find((group) => group !== undefined) ?? "";
}

function findImports(lines: readonly string[], language: Language): string[] {
  if (language.importLine === null) return [];
  const found = new Set<string>();
  for (const line of lines) {
    const match = line.length > MAX_HEAD_LENGTH ? null : language.importLine.exec(line);
    if (match !== null) found.add(firstGroup(match));
    // The last line of an import that was wrapped over several.
    const wrapped = language.blocks === "braces" ? /^\}\s*from\s*["']([^"']+)["']/.exec(line) : null;
    if (wrapped !== null) found.add(firstGroup(wrapped));
  }
  return [...found];
}

interface FoundFunction {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

function findFunctions(code: readonly string[], language: Language): FoundFunction[] {
  if (language.functionHead === null || language.blocks === "none") return [];
  return language.blocks === "braces"
    ? findBraced(code, language.functionHead)
    : findIndented(code, language.functionHead);
}

function findBraced(code: readonly string[], head: RegExp): FoundFunction[] {
  const found: FoundFunction[] = [];
  const open: OpenFunction[] = [];
  let depth = 0;
  code.forEach((line, index) => {
    const match = line.length > MAX_HEAD_LENGTH ? null : head.exec(line);
    if (match !== null) open.push({ name: firstGroup(match), line: index + 1, level: depth, entered: false });
    for (const character of line) {
      if (character === "{") {
        depth++;
        const last = open.at(-1);
        if (last !== undefined) last.entered = true;
      } else if (character === "}") depth--;
    }
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      const closed = last.entered ? depth <= last.level : /[;,]\s*$/.test(line);
      if (!closed) break;
      open.pop();
      found.push({ name: last.name, line: last.line, lines: index + 2 - last.line });
    }
  });
  return found;
}

function findIndented(code: readonly string[], head: RegExp): FoundFunction[] {
  const found: FoundFunction[] = [];
  const open: OpenFunction[] = [];
  let lastCode = 0;
  const close = (down: number) => {
    for (let last = open.at(-1); last !== undefined && last.level >= down; last = open.at(-1)) {
      open.pop();
      found.push({ name: last.name, line: last.line, lines: lastCode + 1 - last.line });
    }
  };
  code.forEach((line, index) => {
    if (line.trim() === "") return;
    const indent = line.length - line.trimStart().length;
    close(indent);
    lastCode = index + 1;
    const match = head.exec(line);
    if (match !== null) open.push({ name: firstGroup(match), line: index + 1, level: indent, entered: true });
  });
  close(0);
  return found;
}
