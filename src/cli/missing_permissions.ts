/** Programs of the MCP servers that the configuration lists, as far as this process may not start them. */
export function missingPermissions(commands: readonly { readonly run: string }[]): readonly string[] {
  const programs = new Set(commands.map(({ run }) => run.split(" ")[0]!));
  return [...programs].filter((command) => Deno.permissions.querySync({ name: "run", command }).state !== "granted");
}
