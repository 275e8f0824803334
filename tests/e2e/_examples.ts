/** The example spokes, as tests run them. */
import { fileURLToPath } from "node:url";

const NODE_EXAMPLE = fileURLToPath(new URL("../../examples/spoke-node/", import.meta.url));

export async function has(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** A copy of examples/spoke-node with its package; null where that cannot be had. Whoever asks removes it. */
export async function installNodeExample(): Promise<string | null> {
  if (!await has("node") || !await has("npm")) return null;
  const dir = await Deno.makeTempDir({ prefix: "spoke-node-" });
  for (const file of ["package.json", "spoke.mjs", "check.mjs"]) {
    await Deno.copyFile(NODE_EXAMPLE + file, `${dir}/${file}`);
  }
  const args = ["install", "--no-audit", "--no-fund", "--silent"];
  if ((await new Deno.Command("npm", { args, cwd: dir }).output()).success) return dir;
  await Deno.remove(dir, { recursive: true });
  return null;
}
