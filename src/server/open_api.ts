import type { TObject, TSchema } from "@alkdev/typebox";
import type { Route } from "./route.ts";
import { ProblemSchema } from "./schemas/problem.ts";

/** JSON. */
type Node = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document of the routes. Schemas that have an `$id` become components. */
export function openApiDocument(routes: readonly Route[], version: string): Node {
  const components = new Map<string, unknown>();
  const paths: Record<string, Record<string, unknown>> = {};
  toComponent(ProblemSchema, components);
  for (const route of routes) {
    const path = route.path.replace(/:([A-Za-z]+)(\{[^}]*\})?/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, components);
  }
  return {
    openapi: "3.1.0",
    info: { title: "@alkdev/hub", version, description: "A workflow-engine server" },
    servers: [{ url: "/" }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
      },
    },
  };
}

/** A schema as it stands in a document, with nothing moved to components. */
export function documentSchema(schema: TSchema): unknown {
  return JSON.parse(JSON.stringify(schema));
}

const IF_NONE_MATCH = { name: "If-None-Match", description: "ETag of the answer that the caller has" };

function operationOf(route: Route, components: Map<string, unknown>): Node {
  const scopes = route.scope === null ? [] : [route.scope].flat();
  const parameters = [
    ...parametersOf("path", route.params, components),
    ...parametersOf("query", route.query, components),
    ...[...(route.headers ?? []), ...(route.isConditional === true ? [IF_NONE_MATCH] : [])]
      .map((header) => ({ ...header, in: "header", schema: { type: "string" } })),
  ];
  return {
    operationId: route.name,
    tags: [route.tag],
    summary: route.summary,
    ...(scopes.length === 0
      ? {}
      : { description: `Needs the scope ${scopes.join(" or ")}.`, "x-required-scopes": scopes }),
    security: route.scope === null ? [] : [{ bearer: [] }, { apiKey: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: bodyOf(route, route.body, components) }),
    responses: responsesOf(route, components),
  };
}

function bodyOf(route: Route, body: TSchema, components: Map<string, unknown>): Node {
  return {
    required: route.bodyDefault === undefined,
    content: { "application/json": { schema: toComponent(body, components) } },
  };
}

function responsesOf(route: Route, components: Map<string, unknown>): Node {
  const responses: Record<string, unknown> = {};
  for (const [status, { description, schema, contentType, otherTypes = [] }] of Object.entries(route.responses)) {
    const content = schema === undefined
      ? {}
      : { content: { [contentType ?? "application/json"]: { schema: toComponent(schema, components) } } };
    // Not as contents: generated clients would take every answer for perhaps a text.
    const others = otherTypes.length === 0 ? {} : { "x-other-types": otherTypes };
    responses[status] = { description, ...content, ...others };
  }
  if (route.isConditional === true) responses[304] = { description: "The caller has it already: nothing has changed" };
  const problem = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  if (route.error === undefined) return { ...responses, default: { description: "An error", content: problem } };
  const { description, contentType, schema } = route.error;
  // What is refused before a route is looked for is a problem all the same.
  const content = { [contentType]: { schema: toComponent(schema, components) }, ...problem };
  return { ...responses, default: { description, content } };
}

function parametersOf(place: "path" | "query", schema: TObject | undefined, components: Map<string, unknown>): Node[] {
  const required = new Set(schema?.required ?? []);
  return Object.entries<TSchema>(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    // A parameter with a default is required of a decoded query, not of a request.
    required: place === "path" || (required.has(name) && property.default === undefined),
    ...(property.description === undefined ? {} : { description: property.description }),
    schema: toComponent(property, components),
  }));
}

/** Moves every schema with an `$id` to the components, and answers what stands in its place. */
function toComponent(schema: unknown, components: Map<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => toComponent(item, components));
  if (typeof schema !== "object" || schema === null) return schema;
  const { $id, ...rest } = { ...schema, $id: "$id" in schema ? schema.$id : undefined };
  if (typeof $id !== "string") return mapValues(rest, components);
  if (!components.has($id)) {
    // Before its parts: a recursive schema is among them.
    components.set($id, {});
    components.set($id, mapValues(rest, components));
  }
  return { $ref: `#/components/schemas/${$id}` };
}

function mapValues(schema: object, components: Map<string, unknown>): Node {
  const mapped: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) {
    mapped[name] = name === "$ref" && typeof value === "string" && !value.startsWith("#")
      ? `#/components/schemas/${value}`
      : toComponent(value, components);
  }
  return mapped;
}
