import {
  additional,
  alternatives,
  describeSchema,
  isSchema,
  isUnknownSchema,
  itemsOf,
  type JsonSchema,
  merged,
  typeOf,
} from "./json_schema.ts";

/** One place where a value of the output cannot be what the input wants. */
export interface TypeMismatch {
  /** JSON pointer into the value; empty for the value itself. */
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
}

/** Whether an output can be used as an input. */
export interface TypeCompatResult {
  readonly compatible: boolean;
  /** Why not, or what was not compared. */
  readonly detail?: string;
  readonly mismatches?: readonly TypeMismatch[];
}

const MAX_DEPTH = 32;

/**
 * Can a value of the output schema be one of the input schema? Equal schemas and outputs with more properties than asked for
 * are; so is what only may fit (one alternative of several, number for integer, string for one of an enum), since every call
 * checks its input again. What is unknown on either side is not compared.
 */
export function typeCompat(outputSchema: unknown, inputSchema: unknown): TypeCompatResult {
  if (isUnknownSchema(outputSchema) || isUnknownSchema(inputSchema)) {
    return { compatible: true, detail: "Not compared: one side is unknown" };
  }
  const mismatches = compare(outputSchema, inputSchema, "", 0);
  if (mismatches.length === 0) return { compatible: true };
  const detail = mismatches.map(({ path, expected, actual }) => `${path || "/"}: want ${expected}, get ${actual}`).join(
    "; ",
  );
  return { compatible: false, detail, mismatches };
}

function compare(output: unknown, input: unknown, path: string, depth: number): readonly TypeMismatch[] {
  if (depth > MAX_DEPTH || isUnknownSchema(output) || isUnknownSchema(input) || !isSchema(output) || !isSchema(input)) {
    return [];
  }
  let best: readonly TypeMismatch[] | null = null;
  const outputs = alternatives(output);
  const inputs = alternatives(input);
  for (const from of outputs) {
    for (const to of inputs) {
      const mismatches = compareOne(merged(from), merged(to), path, depth);
      if (mismatches.length === 0) return [];
      best ??= mismatches;
    }
  }
  if (outputs.length === 1 && inputs.length === 1) return best ?? [];
  return [{ path, expected: describeSchema(input), actual: describeSchema(output) }];
}

function compareOne(output: JsonSchema, input: JsonSchema, path: string, depth: number): readonly TypeMismatch[] {
  const from = typeOf(output);
  const to = typeOf(input);
  if (from === undefined || to === undefined) return [];
  const mismatch = [{ path, expected: describeSchema(input), actual: describeSchema(output) }];
  if (from !== to && !(isNumeric(from) && isNumeric(to))) return mismatch;
  if ("const" in output && "const" in input) {
    return JSON.stringify(output.const) === JSON.stringify(input.const) ? [] : mismatch;
  }
  if (from === "array") return compare(itemsOf(output), itemsOf(input), `${path}/0`, depth + 1);
  return from === "object" ? compareObjects(output, input, path, depth) : [];
}

function compareObjects(output: JsonSchema, input: JsonSchema, path: string, depth: number): readonly TypeMismatch[] {
  const given = isSchema(output.properties) ? output.properties : {};
  const wanted = isSchema(input.properties) ? input.properties : {};
  const required: readonly unknown[] = Array.isArray(input.required) ? input.required : [];
  const rest = additional(output);
  const mismatches: TypeMismatch[] = [];
  for (const [name, property] of Object.entries(wanted)) {
    const below = `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (Object.hasOwn(given, name)) mismatches.push(...compare(given[name], property, below, depth + 1));
    else if (isSchema(rest)) mismatches.push(...compare(rest, property, below, depth + 1));
    else if (required.includes(name) && rest !== true && Object.keys(given).length > 0) {
      mismatches.push({ path: below, expected: describeSchema(property), actual: "nothing" });
    }
  }
  return mismatches;
}

function isNumeric(type: string): boolean {
  return type === "number" || type === "integer";
}
