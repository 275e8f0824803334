/** Command lines for tests. */
import type { Cli } from "./cli.ts";
import { PLAIN } from "./format/style.ts";
import { runCli } from "./main.ts";

/** What a command line came to. */
export interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export type Answer = (request: Request, url: URL) => Response | Promise<Response> | undefined;

/** Runs a command line against a real server on loopback. */
export async function hub(
  words: readonly string[],
  answer: Answer,
): Promise<Told & { readonly requests: readonly string[] }> {
  const requests: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    requests.push(`${request.method} ${url.pathname}${url.search}`);
    return await answer(request, url) ?? problem(404, "NOT_FOUND", "nothing here");
  });
  const told = await command([...words, "--url", `http://127.0.0.1:${server.addr.port}`, "--key", "secret"]);
  return { ...told, requests };
}

/** Runs a command line, and gives what it writes. */
export async function command(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Told> {
  const out: string[] = [], err: string[] = [];
  const cli: Cli = {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    raw: (text) => err.push(text),
    style: PLAIN,
    terminal: false,
    width: 100,
    env: (name) => env[name],
    environment: () => env,
    now: () => 100_000,
    fetch: globalThis.fetch,
    signal: new AbortController().signal,
  };
  return { code: await runCli(words, cli), out: out.join("\n"), err: err.join("\n") };
}

/** An error as the HTTP API answers it. */
export function problem(status: number, code: string, detail: string, more: object = {}): Response {
  return Response.json({ code, title: code, detail, status, ...more }, { status });
}
