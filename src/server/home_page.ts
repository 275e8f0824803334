import { escapeHtml, pageOf } from "./html.ts";

/** The page at `/`. */
export function homePage(version: string): string {
  return pageOf(
    "@alkdev/hub",
    `<h1>@alkdev/hub ${escapeHtml(version)}</h1>
<p>A workflow-engine server runs here. It takes workflows as templates, runs them, and records every call.</p>
<ul>
<li><a href="/docs">The HTTP API</a>, and the same as an <a href="/openapi.json">OpenAPI document</a></li>
<li><a href="/ready">Whether it is ready</a></li>
</ul>
<p>Requests need an API key: <code>Authorization: Bearer &lt;key&gt;</code>. The first start wrote one to <code>admin.key</code> in
the data directory.</p>`,
  );
}
