/** Requests to the routes of an OpenAPI document: good ones, ones with a mistake, and garbage. */
import fc from "fast-check";
import { hostileText, hostileValue, mutated, toJsonText } from "./hostile.ts";
import { type JsonSchema, schemaArbitrary, type SchemaWorld } from "./schema_arbitrary.ts";

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

interface OpenApiOperation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: "path" | "query" | "header";
    readonly required?: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
}

/** One request, written down so that it can be printed and sent again. */
export interface FuzzRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What a path parameter may be called by: `workflows.name`, `runs.id`, `key` … the most exact first. */
export type Pools = ReadonlyMap<string, readonly string[]>;

/** Every route, as `[METHOD /path, requests to it]`. */
export function routeArbitraries(
  document: OpenApiDocument,
  pools: Pools,
  hints: SchemaWorld["hints"],
): readonly (readonly [string, fc.Arbitrary<FuzzRequest>])[] {
  const world: SchemaWorld = { schemas: document.components.schemas, hints };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const requests = requestArbitrary(method.toUpperCase(), path, operation, { pools, world });
      return [`${method.toUpperCase()} ${path}`, requests] as const;
    })
  );
}

function requestArbitrary(
  method: string,
  path: string,
  { parameters = [], requestBody }: OpenApiOperation,
  { pools, world }: { readonly pools: Pools; readonly world: SchemaWorld },
): fc.Arbitrary<FuzzRequest> {
  const place = path.split("/")[2] ?? "";
  const inPath = Object.fromEntries(
    [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => {
      const known = pools.get(`${place}.${name}`) ?? pools.get(name) ?? [];
      const any = fc.oneof(hostileText, fc.uuid());
      return [name, known.length === 0 ? any : fc.oneof({ arbitrary: fc.constantFrom(...known), weight: 3 }, any)];
    }),
  );
  const query = fields(parameters.filter((one) => one.in === "query"), world);
  const headers = fields(parameters.filter((one) => one.in === "header"), world);
  const schema = requestBody?.content["application/json"]?.schema;
  return fc.record({
    params: fc.record(inPath),
    query: fc.oneof({ arbitrary: query, weight: 3 }, mutated(query)),
    headers: fc.oneof({ arbitrary: headers, weight: 3 }, mutated(headers)),
    accept: fc.constantFrom(null, null, "application/json", "text/event-stream", "*/*", "x"),
    type: fc.constantFrom(
      "application/json",
      "application/json",
      "application/json",
      "text/plain",
      "application/json; charset=x",
    ),
    body: bodyArbitrary(method, schema, world),
  }).map(({ params, query, headers, accept, type, body }) => ({
    method,
    path: path.replace(/\{(\w+)\}/g, (_, name) => encode((params as Record<string, string>)[name]!)) + toQuery(query),
    headers: {
      ...toHeaders(headers),
      ...(accept !== null && { accept }),
      ...(body !== null && { "content-type": type }),
    },
    body,
  }));
}

function bodyArbitrary(
  method: string,
  schema: JsonSchema | undefined,
  world: SchemaWorld,
): fc.Arbitrary<string | null> {
  if (method === "GET") return fc.constant(null);
  if (schema === undefined) return fc.oneof(fc.constant(null), hostileValue.map(toJsonText), hostileText);
  const good = schemaArbitrary(schema, world);
  return fc.oneof(
    { arbitrary: good.map(toJsonText), weight: 4 },
    { arbitrary: mutated(good).map(toJsonText), weight: 5 },
    { arbitrary: hostileValue.map(toJsonText), weight: 2 },
    {
      arbitrary: fc.oneof(hostileText, fc.constantFrom("{", '{"a":1,"a":2}', "[".repeat(200_000), '{"x":')),
      weight: 1,
    },
    { arbitrary: fc.constant(null), weight: 1 },
  );
}

function fields(
  parameters: NonNullable<OpenApiOperation["parameters"]>,
  world: SchemaWorld,
): fc.Arbitrary<Record<string, unknown>> {
  const made = Object.fromEntries(
    parameters.map(({ name, schema }) => [name, fc.oneof(schemaArbitrary(schema, world, name), hostileText)]),
  );
  return fc.record(made, { requiredKeys: [] });
}

function toQuery(query: unknown): string {
  if (typeof query !== "object" || query === null) return "";
  const pairs = Object.entries(query).slice(0, 20).flatMap(([name, value]) =>
    (Array.isArray(value) ? value.slice(0, 20) : [value]).map((one) => `${encode(name)}=${encode(asText(one))}`)
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/** What a client library lets through; the rest is for tests over a bare socket. */
function toHeaders(headers: unknown): Record<string, string> {
  if (typeof headers !== "object" || headers === null) return {};
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const text = asText(value).replaceAll(/[^\x20-\x7e]/g, "").trim().slice(0, 4_000);
      return /^[A-Za-z-]{3,40}$/.test(name) && !/^(host|connection|content-length|transfer-encoding)$/i.test(name)
        ? [[name, text]]
        : [];
    }),
  );
}

function asText(value: unknown): string {
  return (typeof value === "string" ? value : toJsonText(value)).slice(0, 9_000);
}

/** Lone surrogates have no form in a URL. An empty segment, or one of dots, would be another path. */
function encode(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  return encoded === "" ? "%20" : encoded.replace(/^\.+$/, (dots) => dots.replaceAll(".", "%2E"));
}
