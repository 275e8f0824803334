import { type Check, type CheckWorld, Failed, Skipped } from "./check.ts";
import { CheckHub, operationsOf } from "./check_hub.ts";
import { registeringChecks } from "./registering_checks.ts";
import { SpokeProcess } from "./spoke_process.ts";
import { leavingChecks, stayingChecks } from "./staying_checks.ts";
import { streamChecks, workingChecks } from "./working_checks.ts";

/** What came of a check. */
export interface CheckResult {
  /** Heading of docs/protocol.md. */
  readonly section: string;
  readonly name: string;
  readonly result: "ok" | "failed" | "skipped";
  readonly wanted: string;
  readonly seen: string;
}

export interface RunChecksOptions {
  /** Starts the spoke, with HUB_URL, HUB_KEY and HUB_CHECK in its environment. Null: somebody starts it. */
  readonly command: string | null;
  /** To listen on; 0: any. */
  readonly port: number;
  /** How long is waited for the spoke to register. */
  readonly connectMs: number;
  readonly onListen: (address: { readonly url: string; readonly key: string }) => void;
  readonly onResult: (result: CheckResult) => void;
  /** A line that the spoke has printed. */
  readonly onLine: (line: string) => void;
}

/** Plays a hub for a spoke, and holds it to docs/protocol.md. About 15 s. */
export async function runChecks(options: RunChecksOptions): Promise<readonly CheckResult[]> {
  await using hub = new CheckHub(options.port);
  options.onListen({ url: hub.url, key: hub.key });
  const results: CheckResult[] = [];
  const note = (result: CheckResult): void => {
    results.push(result);
    options.onResult(result);
  };
  await using first = start(hub, options);
  const world = await connect(hub, first.process, options.connectMs, note);
  if (world === null) return results;
  for (const check of [...registeringChecks, ...workingChecks, ...streamChecks, ...stayingChecks]) {
    note(await runOne(check, world));
  }
  const [onSignal, onRequest] = leavingChecks;
  if (onSignal === undefined || onRequest === undefined) return results;
  note(await runOne(onSignal, world));
  if (options.command === null) note(await runOne(onRequest, world));
  else {
    await first[Symbol.asyncDispose]();
    await using second = start(hub, options);
    const again = await connect(hub, second.process, options.connectMs, note);
    if (again !== null) note(await runOne(onRequest, again));
  }
  note(wholeSession(hub));
  return results;
}

interface Started extends AsyncDisposable {
  readonly process: SpokeProcess | null;
}

function start(hub: CheckHub, { command, onLine }: RunChecksOptions): Started {
  const env = { HUB_URL: hub.url, HUB_KEY: hub.key, HUB_CHECK: "1" };
  const process = command === null ? null : new SpokeProcess(command, env, onLine);
  return { process, [Symbol.asyncDispose]: async () => await process?.[Symbol.asyncDispose]() };
}

async function connect(
  hub: CheckHub,
  process: SpokeProcess | null,
  withinMs: number,
  note: (result: CheckResult) => void,
): Promise<CheckWorld | null> {
  const ended = process?.ended ?? new Promise<string>(() => {});
  const found = await Promise.race([hub.session(hub.sessions.length, withinMs), ended]);
  if (typeof found === "object" && found !== null && found.refusal === null) return { hub, session: found, process };
  const [refused] = hub.refused;
  const seen = typeof found === "string"
    ? `its process has ended: ${found}`
    : found !== null
    ? `refused: ${found.refusal}`
    : refused === undefined
    ? `nothing within ${withinMs} ms`
    : `nothing but a refused connection: ${refused}`;
  note({
    section: "Registering",
    name: "registers",
    result: "failed",
    wanted: "a connection and a hub.register that a hub takes",
    seen,
  });
  return null;
}

async function runOne(check: Check, world: CheckWorld): Promise<CheckResult> {
  const { section, name, wanted, needs = [], needsProcess = false } = check;
  const told = (result: CheckResult["result"], seen: string): CheckResult => ({ section, name, result, wanted, seen });
  const offered = operationsOf(world.session);
  const missing = needs.filter((id) => !offered.has(id));
  if (missing.length > 0) return told("skipped", `it does not offer ${missing.join(", ")}`);
  if (needsProcess && world.process === null) return told("skipped", "the spoke was not started by this program");
  try {
    return told("ok", await check.run(world));
  } catch (error) {
    if (error instanceof Skipped) return told("skipped", error.message);
    if (!(error instanceof Failed)) throw error;
    await comeBack(world);
    return told("failed", error.message);
  }
}

/** A check that failed may have left the spoke without its socket: the next ones are told about the new one. */
async function comeBack(world: CheckWorld): Promise<void> {
  if (world.session.closed === null) return;
  const session = await world.hub.session(world.hub.sessions.indexOf(world.session) + 1, 5_000);
  if (session !== null && session.registered !== null) world.session = session;
}

/** What must never be, at no time of all this. */
function wholeSession(hub: CheckHub): CheckResult {
  const oddities = hub.sessions.flatMap(({ oddities }) => oddities);
  const [first] = oddities;
  return {
    section: "Messages",
    name: "sent nothing that makes no sense",
    result: first === undefined ? "ok" : "failed",
    wanted: "envelopes of known types, one outcome a call, nothing that was not asked for",
    seen: first === undefined
      ? `${hub.sessions.reduce((sum, { messages }) => sum + messages.length, 0)} envelopes`
      : `${first}${oddities.length > 1 ? ` (and ${oddities.length - 1} more)` : ""}`,
  };
}
