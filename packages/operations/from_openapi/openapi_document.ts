import { CallError } from "../call_error.ts";
import { isObject, type JsonObject, quote } from "../json_schema_keywords.ts";
import { SchemaReferences } from "../schema_references.ts";

/** The methods that a path can have, as OpenAPI 3.0 and 3.1 have them. */
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const;
/** One of the HTTP methods, in lower case. */
export type HttpMethod = typeof METHODS[number];

/** One operation of a document, before its parts are read. */
export interface DocumentOperation {
  readonly method: HttpMethod;
  readonly path: string;
  readonly operation: JsonObject;
  /** Of the path and of the operation, which come last. References are followed. */
  readonly parameters: readonly JsonObject[];
  /** JSON pointer to the operation. */
  readonly place: string;
}

/** A document of OpenAPI 3, read as far as it is needed; whatever else is in it is left alone. */
export class OpenAPIDocument {
  readonly root: JsonObject;
  readonly #references: SchemaReferences;

  /** @throws {CallError} `VALIDATION_ERROR` unless it is an object of OpenAPI 3 with paths */
  constructor(spec: unknown) {
    if (!isObject(spec)) throw invalid(`is ${quote(spec)}: wanted an object`);
    const { openapi, swagger, paths } = spec;
    if (typeof openapi !== "string" || !openapi.startsWith("3.")) {
      throw invalid(`has openapi ${quote(openapi ?? swagger)}: wanted "3.…" (convert an older document first)`);
    }
    if (!isObject(paths)) throw invalid(`has paths ${quote(paths)}: wanted an object`);
    this.root = spec;
    this.#references = new SchemaReferences(spec);
  }

  /** The document's semantic version; `1.0.0` when it has another kind. */
  get version(): string {
    const { info } = this.root;
    const version = isObject(info) ? info["version"] : undefined;
    return typeof version === "string" && /^\d+\.\d+\.\d+([-+].*)?$/.test(version) ? version : "1.0.0";
  }

  /** Follows local references, chains of them too; undefined where there is no object at the end. */
  follow(value: unknown): JsonObject | undefined {
    let current = value;
    // A chain longer than this is a circle.
    for (let steps = 0; steps < 20; steps++) {
      if (!isObject(current)) return undefined;
      const reference = current["$ref"];
      if (typeof reference !== "string") return current;
      current = reference.startsWith("#") ? this.#references.resolve(reference) : undefined;
    }
    return undefined;
  }

  *operations(): Generator<DocumentOperation> {
    const paths = this.root["paths"];
    for (const [path, value] of Object.entries(isObject(paths) ? paths : {})) {
      const item = this.follow(value);
      if (item === undefined || !path.startsWith("/")) continue;
      for (const method of METHODS) {
        const operation = item[method];
        if (!isObject(operation)) continue;
        const parameters = this.#parameters(item["parameters"], operation["parameters"]);
        yield { method, path, operation, parameters, place: `#/paths/${escape(path)}/${method}` };
      }
    }
  }

  /** One parameter is told from another by name and place; the operation's take the place of the path's. */
  #parameters(...lists: unknown[]): JsonObject[] {
    const found = new Map<string, JsonObject>();
    for (const list of lists) {
      for (const value of Array.isArray(list) ? list : []) {
        const parameter = this.follow(value);
        if (parameter !== undefined) found.set(`${parameter["in"]}:${parameter["name"]}`, parameter);
      }
    }
    return [...found.values()];
  }
}

function escape(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function invalid(problem: string): CallError {
  return new CallError("VALIDATION_ERROR", `OpenAPI document cannot be used: it ${problem}`);
}
