/** Bundles the page into `src/viewer/dist/`, which is kept in the repository so that a hub serves it without a build: `deno task viewer`. */
const viewer = new URL("../../src/viewer/", import.meta.url).pathname;

/** The page's script as one file. The same sources give the same bytes. */
export async function bundleViewer(output: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "browser", "--minify", `${viewer}main.tsx`, "-o", output],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot bundle the page: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) await bundleViewer(`${viewer}dist/viewer.js`);
