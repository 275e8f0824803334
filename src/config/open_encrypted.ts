import { decrypt, DecryptError, isEncryptedData } from "../crypto/mod.ts";
import { ConfigError, type ConfigIssue } from "./config_error.ts";

/**
 * Puts the plain text in the place of each `{"_encrypted": {keyVersion, salt, iv, data}}`, at any depth. The master key is
 * asked for only when there is one.
 *
 * @throws {ConfigError} naming every field that cannot be opened
 */
export async function openEncrypted(value: unknown, masterKey: () => Promise<string>): Promise<unknown> {
  const issues: ConfigIssue[] = [];
  const opened = await open(value, "", masterKey, issues);
  if (issues.length > 0) throw new ConfigError(issues);
  return opened;
}

async function open(
  value: unknown,
  field: string,
  masterKey: () => Promise<string>,
  issues: ConfigIssue[],
): Promise<unknown> {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return await Promise.all(value.map((item, at) => open(item, `${field}[${at}]`, masterKey, issues)));
  }
  if ("_encrypted" in value) return await openOne(value, field, masterKey, issues);
  const entries = await Promise.all(
    Object.entries(value).map(async ([name, item]) =>
      [name, await open(item, field === "" ? name : `${field}.${name}`, masterKey, issues)] as const
    ),
  );
  return Object.fromEntries(entries);
}

async function openOne(
  wrapped: { readonly _encrypted: unknown },
  field: string,
  masterKey: () => Promise<string>,
  issues: ConfigIssue[],
): Promise<unknown> {
  if (!isEncryptedData(wrapped._encrypted) || Object.keys(wrapped).length > 1) {
    const wanted = `wanted {"_encrypted": {keyVersion, salt, iv, data}} and nothing beside it`;
    issues.push({ field, message: `Config field "${field}" is not a well-formed encrypted value: ${wanted}` });
    return undefined;
  }
  try {
    return await decrypt(wrapped._encrypted, await masterKey());
  } catch (error) {
    if (!(error instanceof DecryptError)) throw error;
    issues.push({
      field,
      message: `Config field "${field}" cannot be decrypted: wanted a value sealed with this hub's master key`,
    });
    return undefined;
  }
}
