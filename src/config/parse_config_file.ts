import { KindGuard, type TSchema } from "@alkdev/typebox";
import { collectErrors } from "@alkdev/operations";
import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";
import { ConfigError, type ConfigIssue } from "./config_error.ts";
import { type ConfigFile, ConfigFileSchema, SECRET_FIELDS, WANTED_OF_SECRET } from "./config_schema.ts";
import { nearest } from "./nearest.ts";
import { openEncrypted } from "./open_encrypted.ts";

/**
 * Reads a JSONC config file: comments and trailing commas are fine, unknown fields are not.
 *
 * @throws {ConfigError} with every problem found
 */
export async function parseConfigFile(
  text: string,
  path: string,
  masterKey: () => Promise<string>,
): Promise<ConfigFile> {
  const opened = await openEncrypted(parseJsonc(text, path), masterKey);
  const issues = collectErrors(ConfigFileSchema, opened).map(({ path: at, message }) => describeIssue(at, message));
  if (issues.length > 0 || !isConfigFile(opened)) throw new ConfigError(issues);
  return opened;
}

function isConfigFile(value: unknown): value is ConfigFile {
  return collectErrors(ConfigFileSchema, value).length === 0;
}

function parseJsonc(text: string, path: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true, disallowComments: false });
  if (errors.length === 0) return value;
  throw new ConfigError(errors.map(({ error, offset }) => {
    const before = text.slice(0, offset).split("\n");
    const place = `${path}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    return { field: place, message: `Config file ${place} is not JSON: ${printParseErrorCode(error)}` };
  }));
}

function describeIssue(pointer: string, message: string): ConfigIssue {
  const names = pointer.split("/").slice(1);
  const field = names.join(".");
  if (field === "") return { field, message: `Config file ${message}` };
  if (message === "is not a known property") {
    const near = nearest(names.at(-1) ?? "", siblings(names));
    const hint = near === null ? "" : `: did you mean "${near}"?`;
    return { field, message: `Config field "${field}" is not known${hint}` };
  }
  const wanted = WANTED_OF_SECRET.get(field);
  if (SECRET_FIELDS.has(field)) return { field, message: `Config field "${field}" has a wrong form: wanted ${wanted}` };
  return { field, message: `Config field "${field}" ${message}` };
}

/** Names that could stand where the last of `names` stands. */
function siblings(names: readonly string[]): string[] {
  let schema: TSchema = ConfigFileSchema;
  for (const name of names.slice(0, -1)) {
    const inner: TSchema | undefined = KindGuard.IsObject(schema) ? schema.properties[name] : undefined;
    if (inner === undefined) return [];
    schema = inner;
  }
  return KindGuard.IsObject(schema) ? Object.keys(schema.properties) : [];
}
