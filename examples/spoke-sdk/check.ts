/**
 * The SDK under `hub spoke check`, on Deno, Bun and Node:
 *
 *     hub spoke check "deno run -A examples/spoke-sdk/check.ts"
 */
import { connectSpoke, type SocketConstructor } from "@alkdev/spoke";
import process from "node:process";
import { checkOperations } from "./check_operations.ts";

/** Node has a WebSocket of its own from 22 on; before, that of the package `ws` stands for it. */
async function fromPackage(name: string): Promise<SocketConstructor> {
  return (await import(name)).WebSocket;
}

const spoke = connectSpoke({
  url: process.env["HUB_URL"] ?? "",
  key: process.env["HUB_KEY"] ?? "",
  name: "sdk-check",
  operations: checkOperations,
  ...(typeof WebSocket === "function" ? {} : { WebSocket: await fromPackage("ws") }),
});
process.on("SIGTERM", () => spoke.drain());
spoke.closed.then(() => process.exit(0), (error) => {
  console.error(error.message);
  process.exit(1);
});
