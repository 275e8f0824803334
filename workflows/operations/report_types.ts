/** What is measured of one file. Counts are lines. */
export interface FileMeasure {
  readonly path: string;
  readonly language: string;
  readonly isTest: boolean;
  /** Only the beginning of the file was read. */
  readonly truncated: boolean;
  readonly lines: number;
  readonly code: number;
  readonly comment: number;
  readonly blank: number;
  readonly todos: number;
  readonly imports: readonly string[];
  readonly functions: number;
  readonly longestFunction: FunctionSpan | null;
  /** Tests that the file declares; 0 in a file that is no test. */
  readonly cases: number;
}

/** A function and its length in lines; `line` counts from 1. */
export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

/** The whole of many measures; each list the greatest first. */
export interface SourceSummary {
  readonly files: number;
  readonly lines: number;
  readonly code: number;
  readonly comment: number;
  readonly blank: number;
  readonly todos: number;
  readonly functions: number;
  readonly languages: readonly { readonly name: string; readonly files: number; readonly code: number }[];
  readonly longestFunctions: readonly (FunctionSpan & { readonly path: string })[];
  readonly largestFiles: readonly { readonly path: string; readonly lines: number }[];
  readonly packages: readonly { readonly name: string; readonly importers: number }[];
}

/** One file, as `fs.list` names it. `size` is bytes. */
export interface ListedFile {
  readonly path: string;
  readonly size: number;
}

/** The tests among many measures. `ratio` is lines of test code per line of other code. */
export interface TestSummary {
  readonly files: number;
  readonly code: number;
  readonly cases: number;
  readonly ratio: number;
}
