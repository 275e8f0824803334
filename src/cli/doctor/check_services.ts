import { denoFiles, type HubConfig, loadConfig } from "../../config/mod.ts";
import type { Finding, Subject } from "./finding.ts";

const TIMEOUT_MS = 3_000;

/** The database and Redis, where they are configured: whether they answer on their ports. */
export async function checkServices({ env }: Subject): Promise<readonly Finding[]> {
  const config = await loadConfig({ env, files: denoFiles }).catch(() => null);
  if (config === null) return [];
  return [await databaseFinding(config), await redisFinding(config)];
}

async function databaseFinding({ databaseUrl, dataDir }: HubConfig): Promise<Finding> {
  if (databaseUrl === null) return { what: "database", state: "ok", message: `embedded, in ${dataDir}` };
  const where = endpoint(databaseUrl, 5432);
  if (where === null) return badUrl("database", "HUB_DATABASE_URL", "postgres://user@host:5432/name");
  // The start of the PostgreSQL protocol: a server answers S or N to a request for encryption.
  const answer = await ask(where, new Uint8Array([0, 0, 0, 8, 4, 210, 22, 47]));
  if (answer !== null && /^[SN]/.test(answer)) {
    return { what: "database", state: "ok", message: `PostgreSQL answers at ${where.text}` };
  }
  return {
    what: "database",
    state: "fail",
    message: answer === null ? `Nothing answers at ${where.text}` : `What answers at ${where.text} is not PostgreSQL`,
    mend: "Start PostgreSQL, or mend HUB_DATABASE_URL; without it the hub uses its embedded database",
  };
}

async function redisFinding({ redisUrl }: HubConfig): Promise<Finding> {
  if (redisUrl === null) return { what: "redis", state: "info", message: "not configured: one process needs none" };
  const where = endpoint(redisUrl, 6379);
  if (where === null) return badUrl("redis", "HUB_REDIS_URL", "redis://host:6379");
  const answer = await ask(where, new TextEncoder().encode("PING\r\n"));
  // Without a password Redis says so, which is an answer too.
  if (answer !== null && /^(\+PONG|-NOAUTH)/.test(answer)) {
    return { what: "redis", state: "ok", message: `Redis answers at ${where.text}` };
  }
  return {
    what: "redis",
    state: "fail",
    message: answer === null ? `Nothing answers at ${where.text}` : `What answers at ${where.text} is not Redis`,
    mend: "Start Redis, or mend HUB_REDIS_URL; a single hub needs none",
  };
}

function badUrl(what: string, variable: string, wanted: string): Finding {
  return { what, state: "fail", message: `${variable} is not an address`, mend: `Write it as ${wanted}` };
}

interface Endpoint {
  readonly hostname: string;
  readonly port: number;
  readonly text: string;
}

/** Where an address leads, without its secrets. */
function endpoint(address: string, defaultPort: number): Endpoint | null {
  const url = URL.parse(address);
  if (url === null || url.hostname === "") return null;
  const port = url.port === "" ? defaultPort : Number(url.port);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  return { hostname, port, text: `${url.hostname}:${port}` };
}

/** What is answered first; null: nothing, or nobody. */
async function ask({ hostname, port }: Endpoint, question: Uint8Array): Promise<string | null> {
  let connection: Deno.TcpConn | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    connection = await Deno.connect({ hostname, port, signal });
    const open = connection;
    timer = setTimeout(() => open.close(), TIMEOUT_MS);
    await connection.write(question);
    const buffer = new Uint8Array(64);
    const length = await connection.read(buffer);
    return length === null ? null : new TextDecoder().decode(buffer.subarray(0, length));
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    try {
      connection?.close();
    } catch {
      // The timeout has closed it.
    }
  }
}
