import type { TObject } from "@alkdev/typebox";
import { escapeHtml, pageOf } from "./html.ts";
import { documentSchema } from "./open_api.ts";
import type { Route } from "./route.ts";

/** The API as a page: the same declarations that check requests. */
export function docsPage(routes: readonly Route[], version: string): string {
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  const sections = tags.map((tag) => {
    const articles = routes.filter((route) => route.tag === tag).map(article).join("\n");
    return `<h2 id="${escapeHtml(tag)}">${escapeHtml(tag)}</h2>\n${articles}`;
  });
  const links = tags.map((tag) => `<a href="#${escapeHtml(tag)}">${escapeHtml(tag)}</a>`).join(" · ");
  return pageOf(
    "HTTP API of @alkdev/hub",
    `<h1>HTTP API <small>${escapeHtml(version)}</small></h1>
<p>${links} · <a href="/openapi.json">openapi.json</a></p>
<p>Give an API key as <code>Authorization: Bearer &lt;key&gt;</code> or <code>x-api-key: &lt;key&gt;</code>. Bodies are JSON. Errors
are <code>application/problem+json</code> with a stable <code>code</code>.</p>
${sections.join("\n")}`,
  );
}

function article(route: Route): string {
  const scope = route.scope === null ? "none: open to everyone" : [route.scope].flat().join(" or ");
  const rows = [
    ...parameterRows("path", route.params),
    ...parameterRows("query", route.query),
    ...(route.headers ?? []).map(({ name, description }) => row("header", name, description)),
  ];
  const responses = Object.entries(route.responses).map(([status, { description }]) =>
    row("answer", status, description)
  );
  return `<article id="${escapeHtml(route.name)}">
<h3><span class="method">${route.method}</span> <code>${escapeHtml(route.path)}</code></h3>
<p>${escapeHtml(route.summary)}. Scope: <code>${escapeHtml(scope)}</code></p>
<table>${[...rows, ...responses].join("")}</table>
${route.body === undefined ? "" : `<details><summary>Body</summary>${code(documentSchema(route.body))}</details>`}
</article>`;
}

function parameterRows(place: string, schema: TObject | undefined): readonly string[] {
  return Object.entries(schema?.properties ?? {}).map(([name, property]) =>
    row(place, name, property.description ?? property.type ?? "one of several values")
  );
}

function row(kind: string, name: string, description: unknown): string {
  return `<tr><td>${kind}</td><td><code>${escapeHtml(name)}</code></td><td>${
    escapeHtml(String(description))
  }</td></tr>`;
}

function code(value: unknown): string {
  return `<pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre>`;
}
