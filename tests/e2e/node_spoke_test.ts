/** The spoke of docs/protocol.md, as printed there, in plain Node with `ws` and no package of ours. */
import assert from "node:assert/strict";
import { installNodeExample } from "./_examples.ts";
import { container, operation, startHubProcess, until } from "./_hub_process.ts";
import { freePort } from "../support/free_port.ts";

Deno.test("a spoke in plain Node executes nodes of a run, is aborted, and comes back after the hub was killed", async () => {
  const dir = await installNodeExample();
  if (dir === null) return console.log("Node or npm or the package ws cannot be had here: not run");
  const page = await Deno.readTextFile(new URL("../../docs/protocol.md", import.meta.url));
  const source = await Deno.readTextFile(`${dir}/spoke.mjs`);
  assert.ok(
    page.includes(`\`\`\`js\n${source}\`\`\``),
    "docs/protocol.md prints examples/spoke-node/spoke.mjs as it is",
  );
  const dataDir = `${dir}/hub`;
  // One operation more, that works until it is aborted and says so.
  const hang =
    `"demo.hang": { handler: (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => {
    console.log("aborted"); reject(new Error("aborted")); })) },`;
  await Deno.writeTextFile(`${dir}/spoke.mjs`, source.replace(`runSpoke("shouter", {`, `$&\n${hang}`));
  const env = { HUB_PORT: String(freePort()) };
  const first = await startHubProcess({ dataDir, env, keep: true });
  const node = new Deno.Command("node", {
    args: ["spoke.mjs"],
    cwd: dir,
    env: { HUB_URL: `${first.url.replace("http", "ws")}/ws`, HUB_KEY: first.key },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let said = "";
  const saying = (async () => {
    for await (const chunk of node.stdout) said += new TextDecoder().decode(chunk);
  })();
  try {
    const template = container("sequential", [
      container("map", [operation("demo.shout", "up", { text: { $ref: "item" } })], {
        over: { $ref: "input.words" },
        as: "item",
      }),
      operation("core.echo", "all", { value: { $ref: "nodes.up" } }),
    ]);
    await until(
      "the spoke is there",
      async () => (await first.api("GET", "/api/operations/demo.shout")).status === 200,
    );
    const spokes = await first.api<{ items: { name: string; status: string; operations: string[] }[] }>(
      "GET",
      "/api/spokes",
    );
    assert.deepEqual(spokes.body.items.map(({ name, status }) => [name, status]), [["shouter", "connected"]]);
    const put = await first.api("PUT", "/api/workflows/shout", { body: { template } });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    const run = async (hub: typeof first) =>
      (await hub.api("POST", "/api/workflows/shout/runs", {
        body: { input: { words: ["a", "b"] } },
        headers: { prefer: "wait=10" },
      })).body;
    assert.deepEqual((await run(first)).output, { value: [{ text: "A" }, { text: "B" }] });

    await first.api("PUT", "/api/workflows/hang", { body: { template: operation("demo.hang", "h") } });
    const hang = await first.api("POST", "/api/workflows/hang/runs", { body: { input: {} } });
    await until("the call is under way", async () => {
      const graph = await first.api<{ nodes: { status: string }[] }>("GET", `/api/runs/${hang.body.id}/graph`);
      return graph.body.nodes[0]?.status === "running";
    });
    assert.equal((await first.api("POST", `/api/runs/${hang.body.id}/abort`, { body: {} })).body.status, "aborted");
    await until("the handler hears of the abort", () => Promise.resolve(said.includes("aborted")));

    await first.kill("SIGKILL");
    await using second = await startHubProcess({ dataDir, env, keep: true });
    await until(
      "the spoke is back",
      async () => (await second.api("GET", "/api/operations/demo.shout")).status === 200,
    );
    assert.deepEqual((await run(second)).output, { value: [{ text: "A" }, { text: "B" }] });
  } finally {
    await first.kill("SIGKILL");
    node.kill("SIGKILL");
    await node.status;
    await saying;
    await Deno.remove(dir, { recursive: true }).catch(() => {});
  }
});
