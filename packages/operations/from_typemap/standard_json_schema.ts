/** The part of Standard JSON Schema (standardschema.dev) that we use: a schema that can say itself as JSON Schema. */
export interface StandardJSONSchema {
  readonly "~standard": {
    readonly vendor: string;
    readonly jsonSchema: {
      input(options: { readonly target: "draft-2020-12" }): unknown;
    };
  };
}

/** The library that a schema of Standard Schema comes from; undefined for anything else. */
export function schemaVendor(schema: unknown): string | undefined {
  const standard = standardOf(schema);
  return standard !== undefined && "vendor" in standard && typeof standard.vendor === "string"
    ? standard.vendor
    : undefined;
}

export function isStandardJSONSchema(schema: unknown): schema is StandardJSONSchema {
  const standard = standardOf(schema);
  if (standard === undefined || !("jsonSchema" in standard)) return false;
  const { jsonSchema } = standard;
  return typeof jsonSchema === "object" && jsonSchema !== null && "input" in jsonSchema &&
    typeof jsonSchema.input === "function";
}

function standardOf(schema: unknown): object | undefined {
  // Some libraries' schemas are functions.
  if ((typeof schema !== "object" && typeof schema !== "function") || schema === null) return undefined;
  const standard: unknown = "~standard" in schema ? schema["~standard"] : undefined;
  return typeof standard === "object" && standard !== null ? standard : undefined;
}
