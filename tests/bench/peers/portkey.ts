import type { Report } from "../report.ts";
import { freePort } from "../../support/free_port.ts";

const PACKAGE = "@portkey-ai/gateway@1.15.2";
const READY_MS = 20_000;

/** Portkey's gateway in a Node process of its own; null, with a note, where npm, Node or the registry is not to be had. */
export async function openPortkey(
  report: Report,
): Promise<{ readonly url: string; close(): Promise<void> } | null> {
  const folder = await Deno.makeTempDir({ prefix: "hub-bench-portkey-" });
  const remove = () => Deno.remove(folder, { recursive: true }).catch(() => {});
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"private":true,"type":"module"}');
    const { success, stderr } = await new Deno.Command("npm", {
      args: ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", PACKAGE],
      cwd: folder,
      stdin: "null",
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr).slice(0, 300));
    const port = freePort();
    const child = new Deno.Command("node", {
      args: ["node_modules/@portkey-ai/gateway/build/start-server.js", "--headless", `--port=${port}`],
      cwd: folder,
      // Else it refuses hosts on the loopback address.
      env: { TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const url = `http://127.0.0.1:${port}`;
    const close = async (): Promise<void> => {
      child.kill("SIGKILL");
      await child.status;
      await remove();
    };
    const until = performance.now() + READY_MS;
    for (;;) {
      const answers = await fetch(url).then((response) => response.text().then(() => true), () => false);
      if (answers) return { url, close };
      if (performance.now() > until) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await close();
    throw new Error("it does not start");
  } catch (error) {
    await remove();
    const reason = error instanceof Error ? error.message : String(error);
    report.note(`Portkey: not measured (${reason.trim().split("\n").at(-1)})`);
    return null;
  }
}
