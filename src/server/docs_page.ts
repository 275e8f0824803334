import { createHash } from "node:crypto";
import type { TObject, TSchema } from "@alkdev/typebox";
import { DOCS_SCRIPT, DOCS_STYLE } from "./docs_assets.ts";
import { escapeHtml } from "./html.ts";
import type { Reply } from "./reply.ts";
import type { Route } from "./route.ts";
import { ProblemSchema } from "./schemas/problem.ts";
import { fieldsHtml, type NamedSchemas, schemaHtml } from "./schema_html.ts";

/** The API as a page: the same declarations that check requests. Loads nothing, from nowhere. */
export function docsPage(routes: readonly Route[], version: string): Reply {
  return {
    status: 200,
    body: pageOf(routes, version),
    contentType: "text/html; charset=utf-8",
    headers: {
      "content-security-policy":
        `default-src 'none'; style-src ${hashOf(DOCS_STYLE)}; script-src ${hashOf(DOCS_SCRIPT)}; ` +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
  };
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

function pageOf(routes: readonly Route[], version: string): string {
  const named: NamedSchemas = new Map([["Problem", ProblemSchema]]);
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  const ofTag = (tag: string) => routes.filter((route) => route.tag === tag);
  const sections = tags.map((tag) =>
    `<section><h2>${escapeHtml(tag)}</h2>\n${ofTag(tag).map((route) => article(route, named)).join("\n")}</section>`
  );
  const links = tags.map((tag) =>
    `<section><h2>${escapeHtml(tag)}</h2>${ofTag(tag).map(routeLink).join("")}</section>`
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>HTTP API of @alkdev/hub</title>
<style>${DOCS_STYLE}</style>
</head>
<body>
<nav aria-label="Routes">
<label>Search <span class="dim">( / )</span><input type="search" autocomplete="off" spellcheck="false"></label>
<output class="dim"></output>
<div>${links.join("\n")}</div>
</nav>
<main>
<h1>HTTP API <small>${escapeHtml(version)}</small></h1>
<p>Give an API key as <code>Authorization: Bearer &lt;key&gt;</code> or <code>x-api-key: &lt;key&gt;</code>. Bodies are JSON. Errors
are <code>application/problem+json</code>, a <a href="#schema-Problem">Problem</a> with a stable <code>code</code>. Lists take
<code>limit</code> and <code>cursor</code>. The same as a document: <a href="/openapi.json">openapi.json</a>.</p>
${sections.join("\n")}
${schemaSection(named)}
</main>
<script>${DOCS_SCRIPT}</script>
</body>
</html>
`;
}

function routeLink({ name, path, method, summary }: Route): string {
  const find = escapeHtml(`${method} ${path} ${name} ${summary}`);
  return `<a href="#${escapeHtml(name)}" data-find="${find}" title="${escapeHtml(`${method} ${path}`)}">${
    escapeHtml(summary)
  }</a>`;
}

function article(route: Route, named: NamedSchemas): string {
  const { method, path, name, summary, body } = route;
  const scope = route.scope === null ? "open to everyone" : [route.scope].flat().join(" or ");
  const rows = [
    ...parameterRows("path", route.params, named),
    ...parameterRows("query", route.query, named),
    ...(route.headers ?? []).map((header) => row("header", header.name, escapeHtml(header.description))),
    ...Object.entries(route.responses).map(([status, { description, schema, contentType }]) => {
      const type = contentType === undefined ? "" : ` <span class="dim">${escapeHtml(contentType)}</span>`;
      return row("answer", status, escapeHtml(description) + type + (schema === undefined ? "" : code(schema, named)));
    }),
  ];
  return `<article class="route" id="${escapeHtml(name)}" data-find="${
    escapeHtml(`${method} ${path} ${name} ${summary} ${scope} ${route.tag}`)
  }">
<h3><span class="method ${method}">${method}</span> <code>${escapeHtml(path)}</code></h3>
<p>${escapeHtml(summary)} <span class="dim">· ${escapeHtml(scope)} · ${escapeHtml(name)}</span></p>
${
    body === undefined
      ? ""
      : `<p>Body${route.bodyDefault === undefined ? "" : ", which may be left out"}</p>${code(body, named)}`
  }
<table>${rows.join("")}</table>
</article>`;
}

function parameterRows(place: string, schema: TObject | undefined, named: NamedSchemas): readonly string[] {
  return Object.entries<TSchema>(schema?.properties ?? {}).map(([name, property]) => {
    const fallback = property.default === undefined
      ? ""
      : ` <span class="dim">· default ${escapeHtml(JSON.stringify(property.default))}</span>`;
    const note = property.description === undefined ? "" : ` ${escapeHtml(property.description)}`;
    return row(place, name, `<code>${schemaHtml(property, named)}</code>${note}${fallback}`);
  });
}

function row(kind: string, name: string, content: string): string {
  return `<tr><td>${kind}</td><td><code>${escapeHtml(name)}</code></td><td>${content}</td></tr>`;
}

/** A few lines stand there; more are folded. */
function code(schema: TSchema, named: NamedSchemas): string {
  const text = schemaHtml(schema, named);
  if (!text.includes("\n")) return `<pre>${text}</pre>`;
  return text.split("\n").length <= 12
    ? `<pre>${text}</pre>`
    : `<details><summary>Fields</summary><pre>${text}</pre></details>`;
}

/** Those that the routes name, and those that these name. */
function schemaSection(named: NamedSchemas): string {
  const written = new Map<string, string>();
  for (let next = unwritten(named, written); next !== undefined; next = unwritten(named, written)) {
    const [name, schema] = next;
    written.set(
      name,
      `<article id="schema-${escapeHtml(name)}"><h3><code>${escapeHtml(name)}</code></h3><pre>${
        fieldsHtml(schema, named)
      }</pre></article>`,
    );
  }
  return `<section><h2>Schemas</h2>\n${
    [...written].toSorted(([a], [b]) => a < b ? -1 : 1).map(([, html]) => html).join("\n")
  }</section>`;
}

function unwritten(named: NamedSchemas, written: ReadonlyMap<string, string>): readonly [string, TSchema] | undefined {
  return [...named].find(([name]) => !written.has(name));
}
