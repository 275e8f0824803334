/** Serves the fake provider until it is ended: `main.ts [--port N]`. Prints its URL. */
import { FakeProvider } from "./fake_provider.ts";

const at = Deno.args.indexOf("--port");
const provider = new FakeProvider(at < 0 ? {} : { port: Number(Deno.args[at + 1]) });
console.log(provider.url);
