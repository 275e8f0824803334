import assert from "node:assert/strict";
import type { StoredWorkflow, WorkflowStore } from "./workflow_store.ts";

/** Registers the tests that every {@linkcode WorkflowStore} passes. `open` gives an empty store, or one whose organizations are all new. */
export function workflowStoreConformance(
  name: string,
  open: () => Promise<
    { readonly store: WorkflowStore; readonly orgs: readonly [string, string]; close(): Promise<void> }
  >,
): void {
  const test = (behaviour: string, body: (store: WorkflowStore, orgs: readonly [string, string]) => Promise<void>) =>
    Deno.test(`${name}: ${behaviour}`, async () => {
      const opened = await open();
      try {
        await body(opened.store, opened.orgs);
      } finally {
        await opened.close();
      }
    });

  test("get() gives back what save() was given", async (store, [org]) => {
    const workflow = stored(org, "one", "v1", {
      title: "Ünïcode \u2028",
      description: "d",
      inputSchema: { b: 1, a: [null] },
      expose: "task",
    });
    await store.save(workflow);
    assert.deepEqual(await store.get({ orgId: org, name: "one", version: "v1" }), workflow);
    assert.deepEqual(await store.get({ orgId: org, name: "one" }), workflow);
    // The order of properties is part of a template: its hash is made from it.
    const again = await store.get({ orgId: org, name: "one" });
    assert.equal(JSON.stringify(again?.template), JSON.stringify(workflow.template));
    assert.equal(await store.get({ orgId: org, name: "one", version: "v2" }), null);
    assert.equal(await store.get({ orgId: org, name: "two" }), null);
  });

  test("save() makes a version the latest, also one that was there before", async (store, [org]) => {
    await store.save(stored(org, "one", "v1"));
    await store.save(stored(org, "one", "v2"));
    assert.equal((await store.get({ orgId: org, name: "one" }))?.version, "v2");
    await store.save(stored(org, "one", "v1", { title: "again", expose: "tool" }));
    const latest = await store.get({ orgId: org, name: "one" });
    assert.deepEqual([latest?.version, latest?.title, latest?.expose], ["v1", "again", "tool"]);
    assert.equal((await store.get({ orgId: org, name: "one", version: "v2" }))?.version, "v2");
  });

  test("versions() gives the versions of a name, the one saved last first", async (store, [org, other]) => {
    for (const version of ["v1", "v2", "v3", "v1"]) await store.save(stored(org, "one", version));
    await store.save(stored(other, "one", "v9"));
    const names = async (limit: number) =>
      (await store.versions({ orgId: org, name: "one", limit })).map(({ version }) => version);
    assert.deepEqual(await names(10), ["v1", "v3", "v2"]);
    assert.deepEqual(await names(2), ["v1", "v3"]);
    assert.deepEqual(await store.versions({ orgId: null, name: "one", limit: 10 }), []);
    const [{ savedAt } = { savedAt: 0 }] = await store.versions({ orgId: org, name: "one", limit: 1 });
    assert.ok(Math.abs(savedAt - Date.now()) < 600_000, `${savedAt} is no time of today in ms`);
  });

  test("list() gives the latest of each name, by name", async (store, [org]) => {
    await store.save(stored(org, "b", "v1"));
    await store.save(stored(org, "a", "v1"));
    await store.save(stored(org, "b", "v2"));
    assert.deepEqual((await store.list({ orgId: org })).map((it) => [it.name, it.version]), [["a", "v1"], ["b", "v2"]]);
  });

  test("an organization sees neither another's workflows nor the shared ones", async (store, [org, other]) => {
    await store.save(stored(org, "one", "v1"));
    await store.save(stored(null, "shared", "v1"));
    assert.equal(await store.get({ orgId: other, name: "one" }), null);
    assert.equal(await store.get({ orgId: other, name: "one", version: "v1" }), null);
    assert.equal(await store.get({ orgId: org, name: "shared" }), null);
    assert.deepEqual(await store.list({ orgId: other }), []);
    assert.equal((await store.get({ orgId: null, name: "shared" }))?.version, "v1");
  });
}

function stored(
  orgId: string | null,
  name: string,
  version: string,
  more: Partial<StoredWorkflow> = {},
): StoredWorkflow {
  return {
    orgId,
    name,
    version,
    title: null,
    description: null,
    template: { type: "sequential", props: { key: "z", output: { $ref: "nodes.a" } }, children: [] },
    inputSchema: null,
    outputSchema: null,
    flow: null,
    expose: null,
    ...more,
  };
}
