import type { Reply } from "./reply.ts";

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** A page without scripts. */
export function html(body: string): Reply {
  const { "content-type": contentType, ...headers } = HEADERS;
  return { status: 200, body, contentType, headers };
}

/** Text as it may stand in an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** A whole page around a body. */
export function pageOf(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

const STYLE =
  `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0}main{max-width:60rem;margin:0 auto;padding:2rem 1rem}
h2{margin-top:2.5rem}code,pre{font:0.9em ui-monospace,monospace}pre{overflow:auto;padding:.75rem;border:1px solid #8884;border-radius:4px}
article{border-top:1px solid #8884;padding:1rem 0}article h3{margin:0;font-size:1rem}.method{display:inline-block;min-width:4rem;font-weight:700}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.15rem 1rem .15rem 0;vertical-align:top}`;
