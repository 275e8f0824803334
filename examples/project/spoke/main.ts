/** The spoke: a process of its own, on any machine that reaches the hub. */
import { connectSpoke } from "@alkdev/spoke";
import { operations } from "./operations.ts";

const dataDir = Deno.env.get("HUB_DATA_DIR") ?? ".hub";
// In production: an address, and a key that may connect and nothing else, see README.md.
const url = Deno.env.get("HUB_URL") ?? JSON.parse(await Deno.readTextFile(`${dataDir}/hub.json`)).url;
const key = await Deno.readTextFile(Deno.env.get("HUB_KEY_FILE") ?? `${dataDir}/admin.key`);

const spoke = connectSpoke({ url, key: key.trim(), name: "words", operations });
Deno.addSignalListener("SIGINT", () => spoke.drain());
if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => spoke.drain());
await spoke.ready;
console.error(`Spoke "words" is connected to ${url}`);
await spoke.closed;
Deno.exit(0);
