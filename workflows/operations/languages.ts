/** How a language marks comments and functions: all that a line count needs to know. */
export interface Language {
  readonly name: string;
  /** Starts of comments that run to the end of the line. */
  readonly lineComments: readonly string[];
  readonly blockComment: readonly [open: string, close: string] | null;
  /** Characters that open and close a string. */
  readonly quotes: string;
  /** `braces`: a function ends with its closing brace; `indent`: with the first line indented no deeper than its head. */
  readonly blocks: "braces" | "indent" | "none";
  /** Whose first group that took part is the name of a function which starts on the line. */
  readonly functionHead: RegExp | null;
  /** Whose first group that took part is what the line imports. */
  readonly importLine: RegExp | null;
}

const SCRIPT_FUNCTION =
  /\bfunction\s*\*?\s*([\w$]+)|\b(?:const|let|var)\s+([\w$]+)\s*(?::[^=]+)?=\s*(?:async\s*)?(?:\([^)]*\)|[\w$]+)\s*(?::[^=]+)?=>|^\s*(?:(?:public|private|protected|static|override|async|get|set)\s+)*\*?((?!(?:if|for|while|switch|catch|return|function|with|await|new|else|do|try)\b)[\w$#]+)\s*(?:<[^>]*>)?\([^;]*\)\s*(?::[^;={]+)?\{\s*$/;
const SCRIPT_IMPORT = /^\s*(?:import|export)\b[^"']*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']/;

const script = (name: string): Language => ({
  name,
  lineComments: ["//"],
  blockComment: ["/*", "*/"],
  quotes: "\"'`",
  blocks: "braces",
  functionHead: SCRIPT_FUNCTION,
  importLine: SCRIPT_IMPORT,
});

const TYPESCRIPT = script("TypeScript");
const JAVASCRIPT = script("JavaScript");

const LANGUAGES: ReadonlyMap<string, Language> = new Map<string, Language>([
  ["ts", TYPESCRIPT],
  ["tsx", TYPESCRIPT],
  ["mts", TYPESCRIPT],
  ["js", JAVASCRIPT],
  ["jsx", JAVASCRIPT],
  ["mjs", JAVASCRIPT],
  ["go", {
    name: "Go",
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    quotes: '"`',
    blocks: "braces",
    functionHead: /^\s*func\s+(?:\([^)]*\)\s*)?(\w+)/,
    importLine: /^\s*(?:import\s+)?(?:[\w.]+\s+)?"([^"]+)"\s*$/,
  }],
  ["rs", {
    name: "Rust",
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    quotes: '"',
    blocks: "braces",
    functionHead: /\bfn\s+(\w+)/,
    importLine: /^\s*(?:pub\s+)?use\s+([\w:]+)/,
  }],
  ["py", {
    name: "Python",
    lineComments: ["#"],
    blockComment: null,
    quotes: "\"'",
    blocks: "indent",
    functionHead: /^\s*(?:async\s+)?def\s+(\w+)/,
    importLine: /^\s*(?:from\s+([\w.]+)\s+import|import\s+([\w.]+))/,
  }],
  ["sh", {
    name: "Shell",
    lineComments: ["#"],
    blockComment: null,
    quotes: "\"'",
    blocks: "none",
    functionHead: null,
    importLine: null,
  }],
  ["sql", {
    name: "SQL",
    lineComments: ["--"],
    blockComment: ["/*", "*/"],
    quotes: "'",
    blocks: "none",
    functionHead: null,
    importLine: null,
  }],
  ["css", {
    name: "CSS",
    lineComments: [],
    blockComment: ["/*", "*/"],
    quotes: "\"'",
    blocks: "none",
    functionHead: null,
    importLine: null,
  }],
]);

/** The language of a file by the ending of its name; null: not a source file. */
export function languageOf(path: string): Language | null {
  return LANGUAGES.get(extensionOf(path)) ?? null;
}

/** The ending after the last dot of the last segment, in lower case; empty without one. */
export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot + 1).toLowerCase();
}

/** Whether a path names tests by the conventions of its language. */
export function isTestPath(path: string): boolean {
  return /(^|\/)(test_[^/]*|[^/]*[._-](test|spec))\.[^./]+$/.test(path) || /(^|\/)__tests__\//.test(path);
}
