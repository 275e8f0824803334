/** The OpenAPI document as others take it: a public validator, and a client generated from it that runs against a real hub. */
import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import openapiTS, { astToString } from "openapi-typescript";
import { startHubProcess } from "./_hub_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Uses the generated types only: a field that the document lacks does not compile; each expected error is one. */
const PROGRAM = `
import createClient from "openapi-fetch";
import type { components, paths } from "./hub.ts";

const [url, key] = Deno.args as [string, string];
const hub = createClient<paths>({ baseUrl: url, headers: { authorization: \`Bearer \${key}\` } });
type Node = components["schemas"]["GraphNode"];

const template = { type: "operation", props: { name: "core.echo", key: "a", input: { value: { $ref: "input.n" } } } };
const put = await hub.PUT("/api/workflows/{name}", { params: { path: { name: "generated" } }, body: { template } });
if (put.error) throw new Error(put.error.detail);

const started = await hub.POST("/api/workflows/{name}/runs", {
  params: { path: { name: "generated" }, header: { Prefer: "wait=10", "Idempotency-Key": "k" } },
  body: { input: { n: 7 }, labels: { by: "generated" } },
});
if (!started.data) throw new Error(started.error.code);
const id: string = started.data.id;

const run = await hub.GET("/api/runs/{id}", { params: { path: { id } } });
const graph = await hub.GET("/api/runs/{id}/graph", { params: { path: { id }, query: { data: false } } });
const nodes: Node[] = graph.data?.nodes ?? [];
const list = await hub.GET("/api/runs", { params: { query: { label: ["by=generated"], status: ["completed"], limit: 5 } } });
const events = await hub.GET("/api/runs/{id}/events", { params: { path: { id } } });
const missing = await hub.GET("/api/runs/{id}", { params: { path: { id: "nowhere" } } });
const called = await hub.POST("/api/operations/{id}", { params: { path: { id: "core.echo" } }, body: { value: 1 } });

// @ts-expect-error there is no such route
hub.GET("/api/no-such-route").catch(() => {});
// @ts-expect-error a priority is a number
const wrong: paths["/api/workflows/{name}/runs"]["post"]["requestBody"] = { content: { "application/json": { priority: "high" } } };
void wrong;

console.log(JSON.stringify({
  status: run.data?.status,
  output: run.data?.output,
  nodes: nodes.map(({ key, status }) => [key, status]),
  listed: list.data?.items.map((item) => item.id === id),
  events: events.data?.items.map(({ seq }) => seq),
  missing: missing.error?.code,
  called: called.data?.data,
}));
`;

/** Does not compile where a type of the client and what the hub declares part, in either direction. */
const DRIFT = `
import type * as client from "@alkdev/client";
import type { components } from "./hub.ts";

type Schemas = components["schemas"];
type Fits<Server, Client> = [Server] extends [Client]
  ? [Exclude<keyof Server, keyof Client>] extends [never] ? true : { clientLacks: Exclude<keyof Server, keyof Client> }
  : { clientDiffers: [Server, Client] };

export const checks: {
  run: Fits<Schemas["Run"], client.Run>;
  view: Fits<Schemas["RunView"], client.RunView>;
  event: Fits<keyof Schemas["RunEvent"], string | number>;
  graph: Fits<Omit<Schemas["RunGraph"], "nodes">, Omit<client.RunGraph, "nodes">>;
  node: Fits<Schemas["GraphNode"], client.GraphNode>;
  call: Fits<Schemas["Call"], client.Call>;
  why: Fits<Schemas["WhyEntry"], client.WhyEntry>;
  workflow: Fits<Schemas["Workflow"], client.Workflow>;
  workflowView: Fits<Schemas["WorkflowView"], client.WorkflowView>;
  operation: Fits<Schemas["Operation"], client.Operation>;
  line: Fits<Schemas["LogLine"], client.LogLine>;
  approval: Fits<Schemas["Approval"], client.Approval>;
} = {
  run: true, view: true, event: true, graph: true, node: true, call: true, why: true, workflow: true, workflowView: true,
  operation: true, line: true, approval: true,
};

// @ts-expect-error a type that lacks a field is noticed
export const lacking: Fits<Schemas["Run"], Omit<client.Run, "labels">> = true;
// @ts-expect-error a field of another type is noticed
export const differing: Fits<Schemas["Run"], Omit<client.Run, "priority"> & { priority: string }> = true;
`;

Deno.test("the OpenAPI document of a hub is one that others can use", async (t) => {
  await using hub = await startHubProcess();
  const document = await (await fetch(`${hub.url}/openapi.json`)).json();
  const folder = await Deno.makeTempDir({ prefix: "hub-openapi-" });
  await Deno.writeTextFile(`${folder}/hub.ts`, astToString(await openapiTS(structuredClone(document))));
  await Deno.writeTextFile(`${folder}/main.ts`, PROGRAM);
  await Deno.writeTextFile(`${folder}/drift.ts`, DRIFT);

  await t.step(
    "it is valid OpenAPI 3.1 to a public validator, which finds what is wrong with a broken one",
    async () => {
      const found = await new Validator().validate(structuredClone(document));
      assert.deepEqual([found.valid, found.errors], [true, undefined]);
      const names = Object.values<Record<string, { operationId: string }>>(document.paths)
        .flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
      assert.equal(new Set(names).size, names.length, "each operation has a name of its own");
      assert.ok(names.length > 60, `${names.length} operations`);
      const broken = structuredClone(document);
      broken.paths["/api/runs"].get.parameters[0].in = "nowhere";
      assert.equal((await new Validator().validate(broken)).valid, false);
    },
  );

  await t.step("a client that is generated from it type-checks and runs", async () => {
    const { stdout, stderr, success } = await deno(
      "run",
      "--check",
      "--allow-net",
      `${folder}/main.ts`,
      hub.url,
      hub.key,
    );
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
      status: "completed",
      output: { value: 7 },
      nodes: [["a", "completed"]],
      listed: [true],
      events: [1, 2, 3, 4],
      missing: "RUN_NOT_FOUND",
      called: { value: 1 },
    });
  });

  await t.step("the types of @alkdev/client are those that it declares", async () => {
    const { stderr, success } = await deno("check", `${folder}/drift.ts`);
    assert.ok(success, new TextDecoder().decode(stderr));
  });
  await Deno.remove(folder, { recursive: true });
});

function deno(command: string, ...args: readonly string[]): Promise<Deno.CommandOutput> {
  return new Deno.Command(Deno.execPath(), {
    args: [command, "--config", `${ROOT}deno.json`, ...args],
    env: { NO_COLOR: "1" },
  }).output();
}
