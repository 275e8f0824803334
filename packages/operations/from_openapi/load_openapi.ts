import { CallError } from "../call_error.ts";
import type { IOperationDefinition } from "../operation_context.ts";
import { FromOpenAPI } from "./from_openapi.ts";
import type { OpenAPIConfig } from "./openapi_config.ts";

/** What reads a document's file. `Deno` is one as it stands. */
export interface OpenAPIFileSystem {
  readTextFile(path: string): Promise<string>;
}

/**
 * {@linkcode FromOpenAPI} of a file.
 *
 * @param fs Default: `node:fs/promises`, which Node, Deno and Bun have
 * @throws {CallError} `VALIDATION_ERROR`; what `fs` throws comes as it is
 */
export async function FromOpenAPIFile(
  path: string,
  config: OpenAPIConfig,
  fs?: OpenAPIFileSystem,
): Promise<IOperationDefinition[]> {
  const text = fs === undefined ? await readNodeFile(path) : await fs.readTextFile(path);
  return FromOpenAPI(parse(text, `"${path}"`, config), config);
}

/**
 * {@linkcode FromOpenAPI} of what a URL answers. It is fetched with the config's `headers`, and without its `auth`, which is
 * the service's.
 *
 * @throws {CallError} `VALIDATION_ERROR`; `EXECUTION_ERROR` when the document cannot be fetched
 */
export async function FromOpenAPIUrl(url: string | URL, config: OpenAPIConfig): Promise<IOperationDefinition[]> {
  return FromOpenAPI(parse(await readUrl(url, config), `"${url}"`, config), config);
}

async function readNodeFile(path: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return await readFile(path, "utf8");
}

async function readUrl(url: string | URL, config: OpenAPIConfig): Promise<string> {
  try {
    const response = await (config.fetch ?? fetch)(url, {
      headers: config.headers ?? {},
      ...(config.timeout !== undefined && { signal: AbortSignal.timeout(config.timeout) }),
    });
    const text = await response.text();
    if (response.ok) return text;
    throw new Error(`it answered ${response.status}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CallError("EXECUTION_ERROR", `Cannot fetch the OpenAPI document "${url}": ${reason}`, undefined, {
      cause: error,
    });
  }
}

function parse(text: string, what: string, config: OpenAPIConfig): unknown {
  try {
    return (config.parse ?? JSON.parse)(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CallError("VALIDATION_ERROR", `OpenAPI document ${what} cannot be read: ${reason}`, undefined, {
      cause: error,
    });
  }
}
