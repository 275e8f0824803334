import { applyEdits, findNodeAtLocation, getNodeValue, modify, type Node, parseTree } from "jsonc-parser";
import { decrypt, DecryptError, encrypt, isEncryptedData } from "../crypto/mod.ts";
import { ConfigError } from "./config_error.ts";

/** What stands for a secret in a config file. */
export async function sealValue(plaintext: string, masterKey: string): Promise<{ readonly _encrypted: unknown }> {
  return { _encrypted: await encrypt(plaintext, masterKey) };
}

/** The plain text of `{"_encrypted": …}`. @throws {ConfigError} which says nothing of what is in it */
export async function openValue(value: unknown, masterKey: string, field = "value"): Promise<string> {
  const sealed = typeof value === "object" && value !== null && "_encrypted" in value ? value._encrypted : null;
  if (!isEncryptedData(sealed)) {
    throw problem(field, `"${field}" is not sealed: wanted {"_encrypted": {keyVersion, salt, iv, data}}`);
  }
  try {
    return await decrypt(sealed, masterKey);
  } catch (error) {
    if (!(error instanceof DecryptError)) throw error;
    throw problem(field, `"${field}" cannot be decrypted: wanted a value sealed with this hub's master key`);
  }
}

/**
 * A config file's text with one field sealed; comments and the rest stay as they are.
 *
 * @param field as messages name it: `databaseUrl`, `clients.commands[0].run`
 * @throws {ConfigError} when it is not there, is no text, or is sealed already
 */
export async function sealField(text: string, field: string, masterKey: string): Promise<string> {
  const path = pathOf(field);
  const value: unknown = getNodeValue(nodeOf(text, field));
  if (typeof value === "object" && value !== null && "_encrypted" in value) {
    throw problem(field, `Config field "${field}" is sealed already`);
  }
  if (typeof value !== "string") throw problem(field, `Config field "${field}" is no text: only texts are sealed`);
  const edits = modify(text, path, await sealValue(value, masterKey), {
    formattingOptions: { insertSpaces: true, tabSize: 2 },
  });
  return applyEdits(text, edits);
}

/** The plain text of a sealed field of a config file. @throws {ConfigError} */
export async function openField(text: string, field: string, masterKey: string): Promise<string> {
  return await openValue(getNodeValue(nodeOf(text, field)), masterKey, field);
}

/** Where a config file's text has sealed values, as paths of names and indices. */
export function sealedPaths(text: string): readonly (readonly (string | number)[])[] {
  const found: (readonly (string | number)[])[] = [];
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    if (typeof value !== "object" || value === null) return;
    if ("_encrypted" in value) found.push(path);
    else if (Array.isArray(value)) value.forEach((item, at) => walk(item, [...path, at]));
    else for (const [name, item] of Object.entries(value)) walk(item, [...path, name]);
  };
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root !== undefined) walk(getNodeValue(root), []);
  return found;
}

function nodeOf(text: string, field: string): Node {
  const root = parseTree(text, [], { allowTrailingComma: true });
  const node = root && findNodeAtLocation(root, pathOf(field));
  if (node === undefined) throw problem(field, `Config field "${field}" is not in the file`);
  return node;
}

/** `a.b[0]` as `["a", "b", 0]`. */
function pathOf(field: string): (string | number)[] {
  return field.split(".").flatMap((part) => {
    const [name = "", ...indices] = part.split("[");
    return [name, ...indices.map((index) => Number.parseInt(index, 10))];
  });
}

function problem(field: string, message: string): ConfigError {
  return new ConfigError([{ field, message }]);
}
