/** A redis-server of a test's own, to be stopped and started at will. */
import { connect } from "node:net";
import { freePort } from "./free_port.ts";

export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: () => number;
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  signal(signal: Deno.Signal): void;
}

/** Null: there is no redis-server on this machine. */
export async function startRedis(): Promise<TestRedis | null> {
  const port = freePort();
  let child: Deno.ChildProcess | null = null;
  const start = async (): Promise<void> => {
    child = new Deno.Command("redis-server", {
      args: ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    for (let i = 0; i < 200 && !await answers(port); i++) await new Promise((resolve) => setTimeout(resolve, 25));
  };
  const kill = async (): Promise<void> => {
    const last = child;
    child = null;
    if (last === null) return;
    last.kill("SIGKILL");
    await last.status;
  };
  try {
    await start();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => child?.pid ?? 0,
    start,
    kill,
    signal: (signal) => child?.kill(signal),
    [Symbol.asyncDispose]: kill,
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write("PING\r\n"));
    socket.on("data", (data) => {
      resolve(String(data).startsWith("+PONG"));
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
  });
}
