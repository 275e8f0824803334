import { join } from "node:path";
import { denoFiles, type HubConfig, loadConfig } from "../../config/mod.ts";
import type { Cli } from "../cli.ts";
import type { Finding, Subject } from "./finding.ts";

const TIMEOUT_MS = 3_000;
/** Clocks further apart than this, in ms, are told; a response's date has whole seconds. */
const MAX_SKEW_MS = 3_000;

/** The hub itself: whether it answers and is ready, whether its clock agrees; else whether its port is free. */
export async function checkHub({ env, cli }: Subject): Promise<readonly Finding[]> {
  const config = await loadConfig({ env, files: denoFiles }).catch(() => null);
  if (config === null) return [];
  const url = env["HUB_URL"] || await writtenUrl(config.dataDir);
  if (url !== null) {
    const findings = await askHub(url, cli);
    if (findings !== null) return findings;
    const stale: Finding = {
      what: "hub",
      state: "warn",
      message: `No hub answers at ${url}`,
      mend: "Start it with `deno task start`",
    };
    return [stale, portFinding(config)];
  }
  return [{ what: "hub", state: "info", message: "not running: start it with `deno task start`" }, portFinding(config)];
}

async function writtenUrl(dataDir: string): Promise<string | null> {
  try {
    const { url } = JSON.parse(await Deno.readTextFile(join(dataDir, "hub.json")));
    return typeof url === "string" ? url : null;
  } catch {
    return null;
  }
}

/** Null: nothing answers. */
async function askHub(url: string, cli: Cli): Promise<readonly Finding[] | null> {
  try {
    const response = await cli.fetch(new URL("/ready", url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { step = "unknown" } = await response.json();
    const ready: Finding = response.ok
      ? { what: "hub", state: "ok", message: `ready at ${url}` }
      : { what: "hub", state: "warn", message: `at ${url} is not ready: it is at step "${step}"` };
    return [ready, clockFinding(response.headers.get("date"), cli.now())];
  } catch {
    return null;
  }
}

/** Whether a hub's date agrees with the clock here. */
export function clockFinding(date: string | null, now: number): Finding {
  const there = date === null ? NaN : Date.parse(date);
  if (Number.isNaN(there)) return { what: "clock", state: "info", message: "The hub does not tell its time" };
  const skew = Math.abs(now - there);
  if (skew <= MAX_SKEW_MS) return { what: "clock", state: "ok", message: "agrees with the hub's" };
  return {
    what: "clock",
    state: "warn",
    message: `is ${Math.round(skew / 1_000)} s off the hub's`,
    mend: "Let both machines follow a time server",
  };
}

function portFinding({ host, port }: HubConfig): Finding {
  if (port === 0) return { what: "port", state: "ok", message: "any free one" };
  try {
    Deno.listen({ hostname: host, port }).close();
    return { what: "port", state: "ok", message: `${host}:${port} is free` };
  } catch (error) {
    const inUse = error instanceof Deno.errors.AddrInUse;
    return {
      what: "port",
      state: "fail",
      message: inUse ? `${host}:${port} is in use` : `Cannot listen on ${host}:${port}: ${String(error)}`,
      mend: "Stop what listens there, or choose another with HUB_PORT (0 picks one)",
    };
  }
}
