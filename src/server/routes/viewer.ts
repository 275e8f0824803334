import { Type } from "@alkdev/typebox";
import { CallError } from "@alkdev/operations";
import { escapeHtml } from "../html.ts";
import { defineRoute, type Route } from "../route.ts";
import { Name } from "../schemas/parameters.ts";

/** One file of the page. */
export interface ViewerAsset {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

/** What the page is made of. Names hold a hash of what is in them. */
export interface ViewerFiles {
  readonly script: string;
  readonly style: string;
  readonly assets: ReadonlyMap<string, ViewerAsset>;
}

/** Scripts and styles of this origin only, and requests to nowhere else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
const COMMON = { "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };
const head = { method: "GET", tag: "system", scope: null } as const;

/** The page at `/` and its files. It holds nothing of anybody: what it shows it asks for with the reader's key. */
export function viewerRoutes(files: ViewerFiles): readonly Route[] {
  const page = pageOf(files);
  return [
    defineRoute({
      ...head,
      path: "/",
      name: "getHome",
      summary: "The page to look at runs with",
      responses: { 200: { description: "The page", contentType: "text/html; charset=utf-8", schema: Type.String() } },
      handle: () =>
        new Response(page, {
          headers: {
            ...COMMON,
            "content-type": "text/html; charset=utf-8",
            "cache-control": "no-cache",
            "content-security-policy": POLICY,
          },
        }),
    }),
    defineRoute({
      ...head,
      path: "/assets/:name",
      name: "getAsset",
      summary: "A file of the page",
      params: Type.Object({ name: Name }),
      responses: { 200: { description: "The file", contentType: "text/javascript", schema: Type.String() } },
      handle({ params }) {
        const asset = files.assets.get(params.name);
        if (asset === undefined) throw new CallError("ROUTE_NOT_FOUND", `There is no asset "${params.name}"`);
        return new Response(asset.body, {
          headers: {
            ...COMMON,
            "content-type": asset.contentType,
            "cache-control": "public, max-age=31536000, immutable",
          },
        });
      },
    }),
  ];
}

function pageOf({ script, style }: ViewerFiles): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hub</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/${escapeHtml(style)}">
<script type="module" src="/assets/${escapeHtml(script)}"></script>
</head>
<body><div id="app"></div><noscript>This page needs JavaScript. The same is to be had from the command line and over HTTP.</noscript></body>
</html>
`;
}
