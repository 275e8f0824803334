import assert from "node:assert/strict";
import { CallError, collectErrors, type OperationContext, OperationRegistry, subscribe } from "../mod.ts";
import { FromOpenAPI, FromOpenAPIFile, FromOpenAPIUrl, type OpenAPIConfig, OpenAPIServiceRegistry } from "./mod.ts";

const text = { type: "string" };
const json = (schema: unknown) => ({ "application/json": { schema } });
const answers = (schema: unknown) => ({ responses: { 200: { description: "", content: json(schema) } } });

const spec = {
  openapi: "3.1.0",
  info: { title: "Pets", version: "2.3.4" },
  components: {
    schemas: {
      Pet: {
        type: "object",
        properties: { name: text, children: { type: "array", items: { $ref: "#/components/schemas/Pet" } } },
        required: ["name"],
      },
    },
    parameters: { Id: { name: "id", in: "path", required: true, schema: { type: "integer" } } },
    requestBodies: { Pet: { required: true, content: json({ $ref: "#/components/schemas/Pet" }) } },
    responses: { Pet: { description: "", content: json({ $ref: "#/components/schemas/Pet" }) } },
  },
  paths: {
    "/pets": {
      get: {
        operationId: "pets.list",
        summary: "List pets",
        description: "All of them.",
        tags: ["pets"],
        parameters: [
          { name: "tag", in: "query", schema: { type: "array", items: text } },
          { name: "limit", in: "query", schema: { type: "integer", minimum: 1 } },
          { name: "X-Trace", in: "header", schema: text },
          { name: "Authorization", in: "header", schema: text },
        ],
        ...answers({ type: "array", items: { $ref: "#/components/schemas/Pet" } }),
      },
      post: {
        requestBody: { $ref: "#/components/requestBodies/Pet" },
        responses: { 201: { $ref: "#/components/responses/Pet" } },
      },
    },
    "/pets/{id}": {
      parameters: [{ $ref: "#/components/parameters/Id" }, { name: "v", in: "query", schema: text }],
      get: {
        operationId: "get-pet",
        parameters: [{ name: "v", in: "query", required: true, schema: text }],
        responses: { 200: { $ref: "#/components/responses/Pet" } },
      },
      delete: { operationId: "remove", responses: { 204: { description: "gone" } } },
    },
    "/events": {
      get: { operationId: "watch", responses: { 200: { description: "", content: { "text/event-stream": {} } } } },
    },
  },
};

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A service that is a function, and what it was asked. */
function service(answer: () => Response | Promise<Response> = () => Response.json({ name: "x" })) {
  const seen: Seen[] = [];
  const config: OpenAPIConfig = {
    namespace: "pets",
    baseUrl: "https://pets.example/v1/",
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const { method, url } = request;
      seen.push({ method, url, headers: Object.fromEntries(request.headers), body: await request.text() });
      return await answer();
    },
  };
  return { seen, config };
}

function registryOf(document: unknown, config: OpenAPIConfig): OperationRegistry {
  const registry = new OperationRegistry();
  registry.registerAll(FromOpenAPI(document, config));
  return registry;
}

const fails = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CallError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

Deno.test("FromOpenAPI() makes an operation of each method of each path", () => {
  const operations = FromOpenAPI(spec, service().config);
  assert.deepEqual(operations.map(({ name, type, version }) => [name, type, version]), [
    ["pets_list", "query", "2.3.4"],
    ["post_pets", "mutation", "2.3.4"],
    ["get-pet", "query", "2.3.4"],
    ["remove", "mutation", "2.3.4"],
    ["watch", "subscription", "2.3.4"],
  ]);
  const [list] = operations;
  assert.deepEqual([list?.title, list?.description, list?.tags, list?.accessControl], [
    "List pets",
    "All of them.",
    ["pets"],
    { requiredScopes: [] },
  ]);
  assert.deepEqual(list?._meta, { method: "GET", path: "/pets", summary: "List pets" });
  assert.deepEqual(Object.keys(list?.inputSchema["properties"]), ["tag", "limit", "X-Trace"]);
});

Deno.test("FromOpenAPI() checks parameters and body by their schemas, references followed", async () => {
  const registry = registryOf(spec, service().config);
  const pet = registry.getSpec("pets.get-pet");
  assert.ok(pet !== undefined);
  assert.deepEqual(collectErrors(pet.inputSchema, { id: 1, v: "x" }), []);
  assert.deepEqual(collectErrors(pet.inputSchema, { id: 1 }).map(({ path }) => path), ["/v"]);
  const rejected = registry.execute("pets.post_pets", { body: { name: "a", children: [{ name: 1 }] } });
  await assert.rejects(rejected, fails("VALIDATION_ERROR", /\/body\/children\/0\/name/));
  await assert.rejects(registry.execute("pets.post_pets", {}), fails("VALIDATION_ERROR", /\/body/));
});

Deno.test("FromOpenAPI()'s handlers put parameters and body where they belong, and answer http envelopes", async () => {
  const { seen, config } = service(() => Response.json({ name: "Rex" }, { status: 201, headers: { "x-a": "b" } }));
  const registry = registryOf(spec, { ...config, headers: { "x-own": "1" } });
  const envelope = await registry.execute("pets.post_pets", { body: { name: "Rex" } });
  assert.deepEqual(envelope, {
    data: { name: "Rex" },
    meta: {
      source: "http",
      statusCode: 201,
      headers: { "content-type": "application/json", "x-a": "b" },
      contentType: "application/json",
    },
  });
  await registry.execute("pets.get-pet", { id: 7, v: "a&b" });
  await registry.execute("pets.pets_list", { tag: ["a b", "c"], "X-Trace": "t" });
  assert.deepEqual(seen.map(({ method, url, body }) => [method, url, body]), [
    ["POST", "https://pets.example/v1/pets", `{"name":"Rex"}`],
    ["GET", "https://pets.example/v1/pets/7?v=a%26b", ""],
    ["GET", "https://pets.example/v1/pets?tag=a+b&tag=c", ""],
  ]);
  assert.deepEqual(seen[0]?.headers, { accept: "application/json", "content-type": "application/json", "x-own": "1" });
  assert.equal(seen[2]?.headers["x-trace"], "t");
});

Deno.test("FromOpenAPI()'s handlers authenticate, whatever the caller says", async () => {
  const cases: [OpenAPIConfig["auth"], string, string | undefined][] = [
    [{ type: "bearer", token: "t" }, "authorization", "Bearer t"],
    [{ type: "bearer", token: "t", prefix: "Token", headerName: "X-Auth" }, "x-auth", "Token t"],
    [{ type: "apiKey", token: "t" }, "x-api-key", "t"],
    [{ type: "apiKey", token: "t", headerName: "X-Trace", prefix: "key=" }, "x-trace", "key=t"],
    [{ type: "basic", token: "me:ü" }, "authorization", "Basic bWU6w7w="],
    [{ type: "basic", token: "bWU6w7w=" }, "authorization", "Basic bWU6w7w="],
    [{ type: "bearer" }, "authorization", undefined],
  ];
  for (const [auth, header, value] of cases) {
    const { seen, config } = service();
    const registry = registryOf(spec, { ...config, ...(auth && { auth }) });
    await registry.execute("pets.pets_list", { "X-Trace": "mine", Authorization: "mine" });
    assert.equal(seen[0]?.headers[header], value, JSON.stringify(auth));
  }
});

Deno.test("FromOpenAPI()'s handlers throw EXECUTION_ERROR for an answer that is no success", async () => {
  const { config } = service(() => Response.json({ why: "none" }, { status: 404, statusText: "Not Found" }));
  await assert.rejects(registryOf(spec, config).execute("pets.remove", { id: 1 }), (error) => {
    fails("EXECUTION_ERROR", /^DELETE \/pets\/\{id\} answered 404 Not Found$/)(error);
    assert.deepEqual(error instanceof CallError && error.details, { statusCode: 404, body: { why: "none" } });
    return true;
  });
  const failing = service(() => Promise.reject(new TypeError("no route")));
  const failed = registryOf(spec, failing.config).execute("pets.remove", { id: 1 });
  await assert.rejects(failed, fails("EXECUTION_ERROR", /no route/));
});

Deno.test("FromOpenAPI()'s handlers read JSON, text, bytes and nothing", async () => {
  const cases: [Response, unknown][] = [
    [new Response(null, { status: 204 }), null],
    [new Response("", { headers: { "content-type": "application/json" } }), null],
    [new Response(`{"a":1}`, { headers: { "content-type": "application/problem+json; charset=utf-8" } }), { a: 1 }],
    [new Response("ü", { headers: { "content-type": "text/plain" } }), "ü"],
    [new Response(new Uint8Array([255, 0]), { headers: { "content-type": "image/png" } }), "/wA="],
    [new Response(new TextEncoder().encode("ok")), "ok"],
  ];
  for (const [response, data] of cases) {
    const envelope = await registryOf(spec, service(() => response).config).execute("pets.remove", { id: 1 });
    assert.deepEqual(envelope.data, data);
  }
  const broken = service(() => new Response("{", { headers: { "content-type": "application/json" } }));
  const rejected = registryOf(spec, broken.config).execute("pets.remove", { id: 1 });
  await assert.rejects(rejected, fails("EXECUTION_ERROR", /JSON that cannot be read/));
});

Deno.test("FromOpenAPI()'s handlers end with TIMEOUT and ABORTED, in time", async () => {
  const config: OpenAPIConfig = {
    namespace: "pets",
    baseUrl: "https://pets.example",
    fetch: (_input, init) =>
      new Promise((_resolve, reject) => {
        const { signal } = init ?? {};
        const abort = () => reject(new DOMException("aborted", "AbortError"));
        if (signal?.aborted) abort();
        signal?.addEventListener("abort", abort);
      }),
  };
  const late = registryOf(spec, { ...config, timeout: 1 }).execute("pets.remove", { id: 1 });
  await assert.rejects(late, fails("TIMEOUT", /more than 1 ms/));
  for (const early of [true, false]) {
    const controller = new AbortController();
    if (early) controller.abort();
    const context: OperationContext = { signal: controller.signal };
    const call = registryOf(spec, { ...config, timeout: 60_000 }).execute("pets.remove", { id: 1 }, context);
    controller.abort();
    await assert.rejects(call, fails("ABORTED", /was aborted/));
  }
});

Deno.test("FromOpenAPI() streams server-sent events, ends with the stream and cancels it when nobody reads on", async () => {
  const body = `event: x\nid: 1\ndata: {"n":1}\n\n: comment\ndata: two\ndata: lines\n\ndata: [DONE]\n\n`;
  const headers = { "content-type": "text/event-stream" };
  const { seen, config } = service(() => new Response(body, { headers }));
  const all = await Array.fromAsync(subscribe(registryOf(spec, config), "pets.watch", {}));
  assert.deepEqual(all.map(({ data }) => data), [{ n: 1 }, "two\nlines", "[DONE]"]);
  assert.deepEqual(all[0]?.meta.source, "http");
  assert.equal(seen[0]?.headers["accept"], "text/event-stream");
  const cancelled = Promise.withResolvers<void>();
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    cancel: () => cancelled.resolve(),
  });
  const stream = service(() => new Response(endless, { headers }));
  for await (const { data } of subscribe(registryOf(spec, stream.config), "pets.watch", {})) {
    assert.equal(data, 1);
    break;
  }
  await cancelled.promise;
});

Deno.test("FromOpenAPI()'s handlers throw VALIDATION_ERROR for what a header cannot hold, without saying it", async () => {
  const { seen, config } = service();
  const call = registryOf(spec, config).execute("pets.pets_list", { "X-Trace": "a\nsecret" });
  await assert.rejects(call, (error) => {
    fails("VALIDATION_ERROR", /^Header "X-Trace"/)(error);
    return error instanceof Error && !error.message.includes("secret");
  });
  assert.deepEqual(seen, []);
});

Deno.test("FromOpenAPI() sends a parameter that is described by its content as JSON", async () => {
  const { seen, config } = service();
  const content = { "application/json": { schema: { type: "object" } } };
  const parameters = ["path", "query", "header"].map((place) => ({ name: place, in: place, content }));
  const document = { openapi: "3.0.3", paths: { "/a/{path}": { get: { operationId: "a", parameters } } } };
  const registry = registryOf(document, config);
  await assert.rejects(registry.execute("pets.a", { path: 1 }), fails("VALIDATION_ERROR", /\/path/));
  await registry.execute("pets.a", { path: { a: "/" }, query: { b: 1 }, header: { c: true } });
  const { pathname, searchParams } = new URL(seen[0]?.url ?? "");
  assert.deepEqual([decodeURIComponent(pathname), searchParams.get("query"), seen[0]?.headers["header"]], [
    `/v1/a/{"a":"/"}`,
    `{"b":1}`,
    `{"c":true}`,
  ]);
});

Deno.test("FromOpenAPI() gives no events of a stream without a body", async () => {
  const { config } = service(() => new Response(null, { status: 204 }));
  assert.deepEqual(await Array.fromAsync(subscribe(registryOf(spec, config), "pets.watch", {})), []);
});

Deno.test("FromOpenAPI() names operations that stand twice apart, and says so", () => {
  const warnings: string[] = [];
  const get = { operationId: "same", ...answers({}) };
  const document = { openapi: "3.0.3", paths: { "/a": { get }, "/b": { get } } };
  const operations = FromOpenAPI(document, { ...service().config, warn: (message) => warnings.push(message) });
  assert.deepEqual(operations.map(({ name, version }) => [name, version]), [["same", "1.0.0"], ["same_2", "1.0.0"]]);
  assert.match(warnings[0] ?? "", /"same" stands twice.*"same_2"/);
});

Deno.test("FromOpenAPI() accepts everything where it cannot read a schema, and says so", () => {
  const warnings: string[] = [];
  const schema = { $ref: "https://elsewhere.example/pet.json" };
  const document = {
    openapi: "3.0.3",
    paths: { "/a": { get: { parameters: [{ name: "q", in: "query", schema }], ...answers(schema) } } },
  };
  const [operation] = FromOpenAPI(document, { ...service().config, warn: (message) => warnings.push(message) });
  assert.ok(operation !== undefined);
  assert.deepEqual(collectErrors(operation.inputSchema, { q: 5 }), []);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /"#\/paths\/~1a\/get\/parameters\/q\/\$ref".*elsewhere/);
});

Deno.test("FromOpenAPI() throws for what is not OpenAPI 3", () => {
  for (const document of [null, [], {}, { swagger: "2.0", paths: {} }, { openapi: "3.0.0" }]) {
    assert.throws(() => FromOpenAPI(document, service().config), fails("VALIDATION_ERROR", /^OpenAPI document/));
  }
});

Deno.test("FromOpenAPIFile() and FromOpenAPIUrl() read a document, in YAML if they are told how", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, JSON.stringify(spec));
    for (const fs of [undefined, Deno]) {
      assert.equal((await FromOpenAPIFile(path, service().config, fs)).length, 5);
    }
  } finally {
    await Deno.remove(path);
  }
  const yaml = { readTextFile: () => Promise.resolve("yaml") };
  const parsing = { ...service().config, parse: (content: string) => content === "yaml" ? spec : null };
  assert.equal((await FromOpenAPIFile("x", parsing, yaml)).length, 5);
  await assert.rejects(FromOpenAPIFile("x", service().config, yaml), fails("VALIDATION_ERROR", /"x" cannot be read/));

  const { seen, config } = service(() => Response.json(spec));
  const auth = { type: "bearer", token: "t" } as const;
  assert.equal((await FromOpenAPIUrl("https://docs.example/api.json", { ...config, auth })).length, 5);
  assert.deepEqual([seen[0]?.url, seen[0]?.headers["authorization"]], ["https://docs.example/api.json", undefined]);
  const gone = service(() => new Response("", { status: 410 }));
  await assert.rejects(FromOpenAPIUrl("https://docs.example/", gone.config), fails("EXECUTION_ERROR", /answered 410/));
});

Deno.test("OpenAPIServiceRegistry registers the services it was given, the last of a namespace", async () => {
  const services = new OpenAPIServiceRegistry();
  const { config } = service(() => Response.json(spec));
  services.add({ openapi: "3.0.0", paths: {} }, config);
  services.add(spec, config);
  await services.addFromUrl("https://docs.example/", { ...config, namespace: "more" });
  const registry = new OperationRegistry();
  services.registerAll(registry);
  assert.equal(registry.list().length, 10);
  assert.ok(registry.getByName("more", "get-pet") !== undefined);
});
