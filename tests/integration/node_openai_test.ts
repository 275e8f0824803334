import assert from "node:assert/strict";
import { proxyWorld } from "../e2e/_proxy_world.ts";

const SCRIPT = `
import OpenAI from "openai";
const client = new OpenAI({ baseURL: process.env.HUB + "/v1", apiKey: process.env.KEY, maxRetries: 0 });
const ask = (content) => ({ model: "fast", messages: [{ role: "user", content }] });
const whole = await client.chat.completions.create(ask("say:from node"));
let streamed = "";
for await (const chunk of await client.chat.completions.create({ ...ask("say:a b c"), stream: true })) {
  streamed += chunk.choices[0]?.delta.content ?? "";
}
const error = await client.chat.completions.create({ ...ask("x"), model: "none" }).catch((error) => error);
console.log(JSON.stringify({
  whole: whole.choices[0].message.content,
  streamed,
  notFound: error instanceof OpenAI.NotFoundError,
  code: error.code,
}));
`;

Deno.test("OpenAI's package works against the hub under Node", async () => {
  const folder = await Deno.makeTempDir({ prefix: "hub-node-openai-" });
  try {
    const run = (command: string, args: readonly string[], env: Record<string, string> = {}) =>
      new Deno.Command(command, { args: [...args], cwd: folder, env, stdin: "null" }).output();
    await Deno.writeTextFile(`${folder}/package.json`, '{"private":true,"type":"module"}');
    await Deno.writeTextFile(`${folder}/ask.mjs`, SCRIPT);
    let installed: Deno.CommandOutput;
    try {
      installed = await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "openai@7.57.0"]);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return console.log("npm is not there: not run");
      throw error;
    }
    assert.ok(installed.success, new TextDecoder().decode(installed.stderr));
    await using world = await proxyWorld();
    const { hub, providers: [fake] } = world;
    assert.ok(fake);
    await world.addProvider(fake, { name: "fake", models: [{ id: "fake-large", alias: "fast" }] });
    const { stdout, stderr } = await run("node", ["ask.mjs"], { HUB: hub.url, KEY: hub.key });
    const text = new TextDecoder().decode(stdout);
    assert.notEqual(text, "", new TextDecoder().decode(stderr));
    assert.deepEqual(JSON.parse(text), {
      whole: "from node",
      streamed: "a b c",
      notFound: true,
      code: "model_not_found",
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
