/** What the reference page looks like and how it is searched. Both stand in the page; their hashes are in its policy. */
export const DOCS_STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--dim:color-mix(in srgb,currentColor 65%,transparent);--link:light-dark(#0b57b7,#8ab8ff)}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:20rem minmax(0,1fr)}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
code,pre{font:.87em/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.25rem 1rem;border-right:1px solid var(--line)}
nav h2{font-size:.75rem;text-transform:uppercase;letter-spacing:.06em;margin:1.1rem 0 .2rem;color:var(--dim)}
nav a{display:block;padding:.12rem 0 .12rem .6rem;text-indent:-.6rem;color:inherit;line-height:1.3;font-size:.92rem}
input{width:100%;font:inherit;padding:.4rem .6rem;border:1px solid var(--line);border-radius:6px;background:transparent;color:inherit}
main{padding:1.5rem 2.5rem 6rem;max-width:66rem}
h1{font-size:1.6rem;margin:.2rem 0}h1 small{color:var(--dim);font-weight:400;font-size:1rem}
main>h2{margin:2.5rem 0 .5rem;font-size:1.25rem;text-transform:capitalize}
article{border:1px solid var(--line);border-radius:8px;padding:.9rem 1.1rem;margin:.8rem 0;scroll-margin-top:1rem}
article:target{outline:2px solid var(--link)}
article h3{margin:0;font-size:1rem;display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap}
.method{font:700 .75rem ui-monospace,monospace;padding:.15rem .5rem;border-radius:4px;color:#fff;background:#2563a8}
.POST{background:#1b7a43}.PUT{background:#8a5a00}.DELETE{background:#b3261e}
article p{margin:.4rem 0}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%;margin:.5rem 0}td{text-align:left;padding:.2rem .9rem .2rem 0;vertical-align:top;border-top:1px solid var(--line)}
td:first-child{width:4.5rem;color:var(--dim)}td:nth-child(2){white-space:nowrap}
pre{overflow:auto;padding:.7rem .9rem;background:var(--soft);border-radius:6px;margin:.4rem 0}pre b{font-weight:600}pre i{font-style:normal;color:var(--dim)}
summary{cursor:pointer}
[hidden]{display:none}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line)}nav div{display:none}main{padding:1rem}}
`;

/** Hides what does not have every word that was typed. Without scripts the page shows everything. */
export const DOCS_SCRIPT = `
const search = document.querySelector("input");
const found = document.querySelector("output");
const parts = [...document.querySelectorAll("article, nav div a")].map((part) => ({
  part, text: (part.dataset.find ?? part.textContent).toLowerCase(),
}));
const groups = [...document.querySelectorAll("main section, nav div section")];
function filter() {
  const words = search.value.toLowerCase().split(/\\s+/).filter((word) => word !== "");
  let count = 0;
  for (const { part, text } of parts) {
    part.hidden = !words.every((word) => text.includes(word));
    if (!part.hidden && part.matches("article.route")) count++;
  }
  for (const group of groups) group.hidden = group.querySelector("article:not([hidden]), a:not([hidden])") === null;
  found.value = words.length === 0 ? "" : count + (count === 1 ? " route" : " routes");
}
search.addEventListener("input", filter);
addEventListener("keydown", (event) => {
  if (event.key === "/" && event.target !== search) { event.preventDefault(); search.focus(); }
  if (event.key === "Escape" && event.target === search) { search.value = ""; filter(); }
});
filter();
`;
