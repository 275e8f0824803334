/** What authors meet on a real hub: declarations of what is there, and starts that are refused before they are half done. */
import assert from "node:assert/strict";
import { connectSpoke } from "@alkdev/spoke";
import { Type } from "@alkdev/typebox";
import { startHubProcess } from "./_hub_process.ts";

const TEMPLATE = `import { defineWorkflow, Operation, ref } from "@alkdev/flowgraph";
export default defineWorkflow({
  name: "measure",
  template: (
    <>
      <Operation key="size" name="box.size" input={{}} />
      <Operation key="nap" name="core.sleep" input={{ ms: ref("size") }} />
    </>
  ),
});
`;

async function spokeWith(hub: { readonly url: string; readonly key: string }, outputSchema: object, version: string) {
  const spoke = connectSpoke({
    url: hub.url,
    key: hub.key,
    name: "boxes",
    operations: [{
      namespace: "box",
      name: "size",
      version,
      type: "query",
      description: "Measures the box.",
      accessControl: { requiredScopes: [] },
      inputSchema: Type.Object({}),
      outputSchema,
      handler: () => 1,
    }],
  });
  await spoke.ready;
  return spoke;
}

Deno.test("a start is refused when what a spoke offers now cannot flow, and GET /api/types declares what it offers", async () => {
  const workflows = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${workflows}/measure.tsx`, TEMPLATE);
    await using hub = await startHubProcess({ env: { HUB_WORKFLOWS: workflows } });
    const start = () => hub.api("POST", "/api/workflows/measure/runs", { headers: { prefer: "wait=10" } });
    const first = await spokeWith(hub, Type.String(), "1.0.0");
    const refused = await start();
    assert.deepEqual([refused.status, refused.body["code"]], [422, "WORKFLOW_INVALID"], JSON.stringify(refused.body));
    assert.deepEqual(refused.body["errors"], [{
      code: "type-mismatch",
      path: "/nodes/2/input/ms",
      node: "nap",
      edge: "size -> nap",
      message:
        "Data flow size -> nap: size is string, but input.ms of core.sleep wants number (/: want number, get string)",
    }]);
    const types = await hub.api<string>("GET", "/api/types");
    assert.match(types.body, /"box\.size": \{\n.*\n {6}readonly output: string;/);
    assert.match(types.body, /"hello": \{/);
    await first.close();
    const second = await spokeWith(hub, Type.Number(), "1.1.0");
    const started = await start();
    assert.deepEqual([started.status, started.body["status"]], [200, "completed"], JSON.stringify(started.body));
    await second.close();
  } finally {
    await Deno.remove(workflows, { recursive: true });
  }
});
