/** Whether `include` and `exclude` leave an operation in. `*` in a pattern is any text; case counts. */
export function isChosen(
  name: string,
  { include, exclude }: { readonly include?: readonly string[]; readonly exclude?: readonly string[] },
): boolean {
  return (include?.some((pattern) => fits(pattern, name)) ?? true) &&
    !(exclude?.some((pattern) => fits(pattern, name)) ?? false);
}

/** Each part as early as it can be: no pattern makes this slow. */
function fits(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
