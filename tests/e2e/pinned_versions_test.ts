/** Nodes that name a version of an operation, on a real hub with spokes of two versions. */
import assert from "node:assert/strict";
import { connectSpoke, type SpokeHandle } from "@alkdev/spoke";
import { container, type HubProcess, startHubProcess, until } from "./_hub_process.ts";

/** Offers `image.resize` in one version: 1.x takes `width`, 2.x takes `size`. Answers the version. */
async function resizer(hub: HubProcess, version: string, labels: Record<string, string> = {}): Promise<SpokeHandle> {
  const field = version.startsWith("1.") ? "width" : "size";
  const spoke = connectSpoke({
    url: hub.url,
    key: hub.key,
    name: `resizer-${version}`,
    labels,
    operations: [{
      namespace: "image",
      name: "resize",
      version,
      inputSchema: {
        type: "object",
        properties: { [field]: { type: "integer" } },
        required: [field],
        additionalProperties: false,
      },
      outputSchema: { type: "object", properties: { by: { type: "string" } }, required: ["by"] },
      handler: () => ({ by: version }),
    }],
  });
  await spoke.ready;
  return spoke;
}

/** `image.resize`, or one version of it, on a spoke with labels. */
function resize(key: string, name: string, input: unknown, spoke?: Record<string, string>) {
  return { type: "operation", props: { key, name, input, ...(spoke !== undefined && { spoke }) }, children: [] };
}

async function problems(hub: HubProcess, template: unknown): Promise<readonly string[]> {
  const { body } = await hub.api<{ problems: { code: string; message: string; suggestion?: string }[] }>(
    "POST",
    "/api/workflows/checked/validate",
    { body: { template } },
  );
  return body.problems.map(({ code, message, suggestion }) => `${code}: ${message} [${suggestion ?? ""}]`);
}

async function run(hub: HubProcess, name: string, headers: Record<string, string> = { prefer: "wait=10" }) {
  return (await hub.api<{ id: string; status: string; output: unknown; error: { code: string } | null }>(
    "POST",
    `/api/workflows/${name}/runs`,
    { body: { input: {} }, headers },
  )).body;
}

Deno.test("a node that names a version of an operation is checked against it, runs on it, and is held with the rest", async (t) => {
  await using hub = await startHubProcess();
  const spokes = [
    await resizer(hub, "1.4.0"),
    await resizer(hub, "2.0.0"),
    await resizer(hub, "1.5.0", { gpu: "yes" }),
  ];
  const both = container("parallel", [
    resize("old", "image.resize@1.4.0", { width: 640 }),
    resize("new", "image.resize", { size: 640 }),
    resize("gpu", "image.resize", { width: 640 }, { gpu: "yes" }),
  ]);
  try {
    await t.step(
      "a template is checked by the schema of the version, or of the labelled spokes, that it names",
      async () => {
        assert.deepEqual(await problems(hub, both), []);
        const wrong = await problems(
          hub,
          container("parallel", [
            resize("old", "image.resize@1.4.0", { size: 640 }),
            resize("new", "image.resize@2.0.0", { width: 640 }),
            resize("gpu", "image.resize", { size: 640 }, { gpu: "yes" }),
          ]),
        );
        assert.deepEqual(wrong.map((line) => line.split(" ").slice(0, 4).join(" ")), [
          "invalid-input: Input of image.resize@1.4.0",
          "invalid-input: Input of image.resize@1.4.0",
          "invalid-input: Input of image.resize@2.0.0",
          "invalid-input: Input of image.resize@2.0.0",
          "invalid-input: Input of image.resize",
          "invalid-input: Input of image.resize",
        ]);
        assert.deepEqual(await problems(hub, resize("a", "image.resize@3.0.0", {})), [
          'unknown-operation: There is no operation "image.resize@3.0.0": did you mean "image.resize@2.0.0"? [image.resize@2.0.0]',
        ]);
        assert.match((await problems(hub, resize("a", "image.resize@latest", {})))[0] ?? "", /image\.resize@1\.2\.0/);
      },
    );
    await t.step("each node of a run goes to its version", async () => {
      const { status, body } = await hub.api("PUT", "/api/workflows/both", { body: { template: both } });
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual((await run(hub, "both")).output, [{ by: "1.4.0" }, { by: "2.0.0" }, { by: "1.5.0" }]);
    });
    await t.step("a version is found and called by its name over HTTP", async () => {
      const found = async (id: string) =>
        (await hub.api<{ version: string; versions: readonly string[] }>("GET", `/api/operations/${id}`)).body;
      const versions = ["2.0.0", "1.5.0", "1.4.0"];
      const { version: served, versions: all } = await found("image.resize");
      assert.deepEqual([served, all], ["2.0.0", versions]);
      assert.equal((await found("image.resize@1.4.0")).version, "1.4.0");
      assert.deepEqual((await found("core.echo")).versions, ["1.0.0"]);
      const answer = await hub.api<{ data: unknown }>("POST", "/api/operations/image.resize@1.4.0", {
        body: { width: 1 },
      });
      assert.deepEqual(answer.body.data, { by: "1.4.0" });
      const missing = await hub.api("POST", "/api/operations/image.resize@1.0.0", { body: { width: 1 } });
      assert.equal(missing.status, 404);
      assert.equal((await hub.api("GET", "/api/operations/core.echo@1.0.0")).status, 200);
      assert.equal((await hub.api("GET", "/api/operations/core.echo@9.0.0")).status, 404);
    });
    await t.step("a key for the operation may call any version of it, another one may not", async () => {
      const keyed = async (scopes: readonly string[]): Promise<number> => {
        const { body } = await hub.api<{ key: string }>("POST", "/api/keys", { body: { name: "narrow", scopes } });
        const request = { body: { width: 1 }, key: body.key };
        return (await hub.api("POST", "/api/operations/image.resize@1.4.0", request)).status;
      };
      assert.equal(await keyed(["operation:call:image.resize"]), 200);
      assert.equal(await keyed(["operation:call:image.other"]), 403);
    });
    await t.step("a hold on the operation holds every version of it", async () => {
      const held = await hub.api<{ id: string }>("POST", "/api/holds", {
        body: { kind: "operation", name: "image.resize" },
      });
      assert.equal(held.status, 201, JSON.stringify(held.body));
      const { id } = await run(hub, "both", {});
      await until("all three wait", async () => {
        const { body } = await hub.api<{ items: { waitsFor: string }[] }>("GET", `/api/runs/${id}/why`);
        return body.items.filter(({ waitsFor }) => waitsFor === "hold").length === 3;
      });
      await hub.api("DELETE", `/api/holds/${held.body.id}`);
      const status = async () => (await hub.api<{ status: string }>("GET", `/api/runs/${id}`)).body.status;
      await until("it is done", async () => await status() === "completed");
    });
    await t.step("a run whose version is gone says so", async () => {
      await spokes[0]?.drain();
      await until(
        "the spoke is gone",
        async () => (await hub.api("GET", "/api/operations/image.resize@1.4.0")).status === 404,
      );
      const { status, error } = await run(hub, "both");
      assert.deepEqual([status, error?.code], ["failed", "OPERATION_NOT_FOUND"]);
    });
  } finally {
    await Promise.all(spokes.map((spoke) => spoke.close()));
  }
});
