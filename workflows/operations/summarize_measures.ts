import type { FileMeasure, SourceSummary, TestSummary } from "./report_types.ts";

/** Totals of measures; each list holds its `top` greatest, greatest first, then by name. */
export function summarizeMeasures(files: readonly FileMeasure[], top: number): SourceSummary {
  const languages = new Map<string, { files: number; code: number }>();
  const packages = new Map<string, number>();
  const total = { files: 0, lines: 0, code: 0, comment: 0, blank: 0, todos: 0, functions: 0 };
  for (const file of files) {
    total.files++;
    for (const key of ["lines", "code", "comment", "blank", "todos", "functions"] as const) total[key] += file[key];
    const language = languages.get(file.language) ?? { files: 0, code: 0 };
    languages.set(file.language, { files: language.files + 1, code: language.code + file.code });
    for (const name of new Set(file.imports.filter((name) => !/^[./]/.test(name)))) {
      packages.set(name, (packages.get(name) ?? 0) + 1);
    }
  }
  const functions = files.flatMap(({ path, longestFunction }) =>
    longestFunction === null ? [] : [{ path, ...longestFunction }]
  );
  return {
    ...total,
    languages: greatest([...languages].map(([name, rest]) => ({ name, ...rest })), top, "code", "name"),
    longestFunctions: greatest(functions, top, "lines", "path"),
    largestFiles: greatest(files.map(({ path, lines }) => ({ path, lines })), top, "lines", "path"),
    packages: greatest([...packages].map(([name, importers]) => ({ name, importers })), top, "importers", "name"),
  };
}

/** The test files among measures. */
export function summarizeTests(files: readonly FileMeasure[]): TestSummary {
  const sum = (of: readonly FileMeasure[], key: "code" | "cases") => of.reduce((total, file) => total + file[key], 0);
  const tests = files.filter(({ isTest }) => isTest);
  const code = sum(tests, "code");
  const other = sum(files, "code") - code;
  return {
    files: tests.length,
    code,
    cases: sum(tests, "cases"),
    ratio: other === 0 ? 0 : Math.round(code / other * 100) / 100,
  };
}

function greatest<K extends string, N extends string, T extends Record<K, number> & Record<N, string>>(
  items: readonly T[],
  top: number,
  by: K,
  name: N,
): T[] {
  return items.toSorted((a, b) => b[by] - a[by] || (a[name] < b[name] ? -1 : 1)).slice(0, top);
}
