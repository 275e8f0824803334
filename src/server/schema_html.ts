import type { TSchema } from "@alkdev/typebox";
import { escapeHtml } from "./html.ts";

type Node = Readonly<Record<string, unknown>>;

/** Schemas that have a name, by it. */
export type NamedSchemas = Map<string, TSchema>;

/** A schema as people read types; one that has a name is a link to it, and is put into `named`. */
export function schemaHtml(schema: TSchema, named: NamedSchemas): string {
  return typeOf(schema, "", named);
}

/** The same with its own fields, whether it has a name or not. */
export function fieldsHtml(schema: TSchema, named: NamedSchemas): string {
  const { $id: _id, ...rest } = schema;
  return typeOf(rest, "", named);
}

function typeOf(schema: unknown, indent: string, named: NamedSchemas): string {
  if (!isNode(schema)) return "any";
  const { $id, $ref } = schema;
  if (typeof $id === "string") {
    if (!named.has($id)) named.set($id, schema as unknown as TSchema); // a named part of a schema is one
    return link($id);
  }
  if (typeof $ref === "string") return link($ref);
  if ("const" in schema) return escapeHtml(JSON.stringify(schema.const));
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return choices.map((one) => typeOf(one, indent, named)).join(" | ");
  if (Array.isArray(schema.enum)) return schema.enum.map((one) => escapeHtml(JSON.stringify(one))).join(" | ");
  if (schema.type === "array") return `${wrapped(typeOf(schema.items, indent, named))}[]`;
  if (schema.type === "object") return objectOf(schema, indent, named);
  return typeof schema.type === "string" ? escapeHtml(schema.type) + limitsOf(schema) : "any";
}

function objectOf(schema: Node, indent: string, named: NamedSchemas): string {
  if (!isNode(schema.properties) || Object.keys(schema.properties).length === 0) return recordOf(schema, indent, named);
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const inner = `${indent}  `;
  const lines = Object.entries(schema.properties).map(([name, property]) => {
    const note = isNode(property) && typeof property.description === "string" ? property.description : "";
    const mark = required.has(name) ? "" : "?";
    const comment = note === "" ? "" : ` <i>// ${escapeHtml(note)}</i>`;
    return `${inner}<b>${escapeHtml(name)}</b>${mark}: ${typeOf(property, inner, named)}${comment}`;
  });
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function recordOf(schema: Node, indent: string, named: NamedSchemas): string {
  const patterns = isNode(schema.patternProperties) ? Object.values(schema.patternProperties) : [];
  return patterns[0] === undefined ? "object" : `{ [name]: ${typeOf(patterns[0], indent, named)} }`;
}

function limitsOf({ minimum, maximum, maxLength }: Node): string {
  const parts: string[] = [];
  if (typeof minimum === "number") parts.push(`≥ ${minimum}`);
  if (typeof maximum === "number" && maximum < Number.MAX_SAFE_INTEGER) parts.push(`≤ ${maximum}`);
  if (typeof maxLength === "number") parts.push(`at most ${maxLength} long`);
  return parts.length === 0 ? "" : ` <i>(${parts.join(", ")})</i>`;
}

function wrapped(type: string): string {
  return type.includes(" | ") ? `(${type})` : type;
}

function link(name: string): string {
  return `<a href="#schema-${escapeHtml(name)}">${escapeHtml(name)}</a>`;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}
