import { readServerSentEvents, type ServerSentEvent } from "@alkdev/client";
import { CliError, ExitCode } from "./cli_error.ts";
import type { Cli } from "./cli.ts";
import type { ParsedArgs } from "./command.ts";
import { findHub, type HubAddress } from "./find_hub.ts";

/** What a request carries. */
export interface HubRequest {
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Calls a hub's HTTP API. Everything that goes wrong is a {@linkcode CliError} that says what to do. */
export class HubClient {
  readonly url: string;
  readonly #key: string | null;
  readonly #cli: Cli;

  constructor(address: HubAddress, cli: Cli) {
    this.url = address.url;
    this.#key = address.key;
    this.#cli = cli;
  }

  get<T>(path: string, request: Omit<HubRequest, "body"> = {}): Promise<T> {
    return this.json<T>("GET", path, request);
  }

  post<T>(path: string, request: HubRequest = {}): Promise<T> {
    return this.json<T>("POST", path, request);
  }

  /** The body of a response as JSON; the types are those of the hub's contract. */
  async json<T>(method: string, path: string, request: HubRequest = {}): Promise<T> {
    const response = await this.#send(method, path, request, "application/json");
    if (response.status === 204) return undefined as T;
    return await response.json() as T;
  }

  /** The body of a response as it is. */
  async text(path: string, request: Omit<HubRequest, "body"> = {}): Promise<string> {
    return await (await this.#send("GET", path, request, "*/*")).text();
  }

  /**
   * The events of a stream up to the first that `isLast` holds for. Whenever the connection ends before, it is opened again
   * after the last event seen, after pauses that grow; fails when the hub stays away. `last`: the id to begin after.
   */
  async *events(
    path: string,
    isLast: (event: ServerSentEvent) => boolean,
    last = "0",
  ): AsyncGenerator<ServerSentEvent, void, undefined> {
    for (let failures = 0;;) {
      let dropped: unknown = null;
      try {
        const response = await this.#send("GET", path, { headers: { "last-event-id": last } }, "text/event-stream");
        // Nothing follows what was seen.
        if (response.body === null) return;
        for await (const event of readServerSentEvents(response.body)) {
          failures = 0;
          if (event.id !== "") last = event.id;
          yield event;
          if (isLast(event)) return;
        }
      } catch (error) {
        if (error instanceof CliError && !(error instanceof ConnectionError)) throw error;
        dropped = error;
      }
      if (this.#cli.signal.aborted) throw new CliError("Stopped");
      if (++failures > MAX_FAILURES) throw new ConnectionError(this.url, dropped);
      await pause(Math.min(5_000, 100 * 2 ** failures), this.#cli.signal);
    }
  }

  async #send(method: string, path: string, request: HubRequest, accept: string): Promise<Response> {
    const url = new URL(this.url + path);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value === undefined) continue;
      for (const each of typeof value === "string" ? [value] : value) url.searchParams.append(name, each);
    }
    const headers = new Headers({ accept, ...request.headers });
    if (this.#key !== null) headers.set("authorization", `Bearer ${this.#key}`);
    if (request.body !== undefined) headers.set("content-type", "application/json");
    const init: RequestInit = { method, headers, signal: this.#cli.signal };
    if (request.body !== undefined) init.body = JSON.stringify(request.body);
    let response: Response;
    try {
      response = await this.#cli.fetch(url, init);
    } catch (error) {
      if (this.#cli.signal.aborted) throw new CliError("Stopped", { cause: error });
      throw new ConnectionError(this.url, error);
    }
    if (!response.ok) throw await responseError(response, this.url);
    return response;
  }
}

const MAX_FAILURES = 8;

/** A client of the hub that the command line names. */
export async function openHub(args: ParsedArgs, cli: Cli): Promise<HubClient> {
  return new HubClient(await findHub(args, cli), cli);
}

/** Nothing answers. */
export class ConnectionError extends CliError {
  constructor(url: string, cause: unknown) {
    super(`No hub answers at ${url}`, { hint: "Start one with `deno task start`, or name another with --url", cause });
  }
}

interface ProblemBody {
  readonly code?: unknown;
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly errors?: unknown;
}

async function responseError(response: Response, url: string): Promise<CliError> {
  const text = await response.text().catch(() => "");
  const problem = parseProblem(text);
  const message = problem === null
    ? `The hub at ${url} answered ${response.status} ${response.statusText}`.trim()
    : [detailOf(problem, response.status), ...errorLines(problem.errors)].join("\n");
  return new CliError(String(message), {
    exitCode: response.status === 400 || problem?.code === "WORKFLOW_INVALID" ? ExitCode.USAGE : ExitCode.FAILED,
    ...hintFor(response.status, problem),
  });
}

/** A code that an operation chose (422) says more than its message may. */
function detailOf({ code, detail, title }: ProblemBody, status: number): string {
  const text = String(detail ?? title ?? `The hub answered ${status}`);
  return status === 422 && code !== "WORKFLOW_INVALID" ? `${code}: ${text}` : text;
}

function parseProblem(text: string): ProblemBody | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}

function errorLines(errors: unknown): readonly string[] {
  if (!Array.isArray(errors)) return [];
  return errors.filter((error) => typeof error === "object" && error !== null).map((error) => {
    const { path = "", message = "", suggestion } = error;
    return `  ${path === "" ? "/" : path}: ${message}${suggestion === undefined ? "" : ` (${suggestion})`}`;
  });
}

/** The command that shows what there is, by what was not found. */
const LISTS: Readonly<Record<string, string>> = {
  WORKFLOW_NOT_FOUND: "workflows list",
  RUN_NOT_FOUND: "runs list",
  SESSION_NOT_FOUND: "sessions list",
  OPERATION_NOT_FOUND: "operations list",
  SPOKE_NOT_FOUND: "spokes list",
  KEY_NOT_FOUND: "keys list",
  LIMIT_NOT_FOUND: "limits list",
  KEY_NOT_IN_USE: "limits list",
  HOLD_NOT_FOUND: "holds list",
  BUDGET_NOT_FOUND: "budgets list",
  CLIENT_NOT_FOUND: "clients list",
  SIGNAL_NOT_FOUND: "approvals list",
  NODE_NOT_FOUND: "graph <run>",
};

function hintFor(status: number, problem: ProblemBody | null): { readonly hint?: string } {
  if (status === 401) {
    return { hint: "Give a key with --key or HUB_KEY_FILE; the first one is in <data dir>/admin.key" };
  }
  if (status === 403) return { hint: "Use a key with that scope, or make one with `hub keys create --scope …`" };
  const list = status === 404 && typeof problem?.code === "string" ? LISTS[problem.code] : undefined;
  if (list !== undefined) return { hint: `See \`hub ${list}\`` };
  if (status === 429) return { hint: "The hub has enough to do: try again in a moment" };
  if (status >= 500) return { hint: "The hub's log says more, under the id above" };
  return {};
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
