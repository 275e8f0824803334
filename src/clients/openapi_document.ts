import { CallError } from "@alkdev/operations";
import { parse as parseYaml } from "yaml";

/** Longest document that is taken. */
export const MAX_DOCUMENT_BYTES: number = 16 * 1024 * 1024;
/** Of YAML: a name for a part may multiply it. */
const MAX_ALIASES = 100;

/** Reads a document's text. @throws {CallError} `VALIDATION_ERROR` */
export function parseDocument(text: string): Record<string, unknown> {
  const value = readText(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new CallError("VALIDATION_ERROR", "OpenAPI document cannot be used: wanted an object");
}

function readText(text: string): unknown {
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text);
    } catch (error) {
      // Not quoted: the text may be anything.
      throw new CallError("VALIDATION_ERROR", "OpenAPI document is not JSON", undefined, { cause: error });
    }
  }
  try {
    return parseYaml(text, { maxAliasCount: MAX_ALIASES, logLevel: "silent" });
  } catch (error) {
    throw new CallError("VALIDATION_ERROR", "OpenAPI document is neither JSON nor YAML", undefined, { cause: error });
  }
}

/**
 * Where the service is, as its document says.
 *
 * @param specUrl where the document was fetched; null: it was given, and is taken at its word. Another host's document could
 * send credentials wherever it likes, so it may name its own host only.
 * @throws {CallError} `VALIDATION_ERROR`
 */
export function baseUrlOf(document: Record<string, unknown>, specUrl: string | null): string {
  const { servers } = document;
  const [first] = Array.isArray(servers) ? servers : [];
  const said = typeof first === "object" && first !== null && "url" in first && typeof first.url === "string"
    ? first.url
    : "/";
  if (said.includes("{")) throw noBase(`its server "${said}" has variables`);
  if (!URL.canParse(said, specUrl ?? undefined)) throw noBase(`its server is "${said}"`);
  const url = new URL(said, specUrl ?? undefined);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw noBase(`its server has the scheme "${url.protocol}"`);
  }
  if (url.username !== "" || url.password !== "") throw noBase("its server holds credentials");
  if (specUrl !== null && url.origin !== new URL(specUrl).origin) {
    throw noBase(`its server "${url.origin}" is not where the document is from`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

function noBase(why: string): CallError {
  return new CallError(
    "VALIDATION_ERROR",
    `OpenAPI document does not say where its service is: ${why}. Set "baseUrl"`,
    {
      errors: [{ path: "/baseUrl", message: "is missing: wanted a URL" }],
    },
  );
}
