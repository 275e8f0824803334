/** Whether a URI has `{name}` in it. */
export function isTemplate(uri: string): boolean {
  return uri.includes("{");
}

/** The names in a template, in order. */
export function variablesOf(template: string): readonly string[] {
  return [...template.matchAll(/\{([A-Za-z0-9_]+)\}/g)].map((match) => match[1] ?? "");
}

/** The values of a template's names in a URI; null: the URI is not of that form. Values have no slash. */
export function expandsTo(template: string, uri: string): Readonly<Record<string, string>> | null {
  const names = variablesOf(template);
  const pattern = template.split(/\{[A-Za-z0-9_]+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const match = new RegExp(`^${pattern.join("([^/]+)")}$`).exec(uri);
  if (match === null) return null;
  return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? "")]));
}
