import assert from "node:assert/strict";
import { CallError } from "@alkdev/operations";
import type { Clock } from "../../engine/ports.ts";
import { generateKeyRing } from "../crypto/mod.ts";
import { commandProblem } from "./allowed_commands.ts";
import { CallSlots } from "./call_slots.ts";
import { isChosen } from "./choose_operations.ts";
import { Circuit } from "./circuit.ts";
import type { ClientRecord } from "./client.ts";
import { createMemoryClientStore } from "./memory_client_store.ts";
import { offeredName } from "./offered_spec.ts";
import { baseUrlOf } from "./openapi_document.ts";
import { createProviderDirectory } from "./provider_directory.ts";
import { resealSecrets } from "./reseal_secrets.ts";
import { SecretMask } from "./secret_mask.ts";
import { openSecrets, sealSecret } from "./secret_opener.ts";

Deno.test("SecretMask takes secrets out of texts, fields and errors, also encoded, and leaves the rest as it is", () => {
  const mask = new SecretMask(["s3cret/value", "s3cret/value-longer", "abc"]);
  const innocent = { a: ["abc", 1, null], b: { c: true } };
  assert.equal(mask.json(innocent), innocent);
  assert.deepEqual(
    mask.json({ "x s3cret/value": ["s3cret/value-longer!"], q: "k=s3cret%2Fvalue", b: btoa("s3cret/value") }),
    {
      "x [redacted]": ["[redacted]!"],
      q: "k=[redacted]",
      b: "[redacted]",
    },
  );
  const error = mask.error(
    new CallError("X", "no s3cret/value", { at: "s3cret/value" }, { cause: new Error("s3cret/value") }),
  );
  assert.deepEqual([error.code, error.message, error.details, error.cause], [
    "X",
    "no [redacted]",
    { at: "[redacted]" },
    undefined,
  ]);
  let deep: unknown = "x";
  for (let i = 0; i < 5_000; i++) deep = [deep];
  assert.throws(() => mask.json(deep), /nests more than 200 levels/);
});

Deno.test("commandProblem() lets through exactly what the configuration has", () => {
  const allowed = [{ run: "npx -y server /srv" }, { run: "npx -y  other", moreArgs: true, env: ["KEY"] }];
  const problem = (line: string, env: string[] = []) => {
    const [command = "", ...args] = line.split(" ");
    return commandProblem({ command, args, env }, allowed)?.field ?? null;
  };
  assert.equal(problem("npx -y server /srv"), null);
  assert.equal(problem("npx -y server"), "command");
  assert.equal(problem("npx -y server /srv /"), "command");
  assert.equal(problem("npx -y other --flag"), null);
  assert.equal(problem("npx -y other", ["KEY"]), null);
  assert.equal(problem("npx -y other", ["KEY", "NODE_OPTIONS"]), "env");
  assert.equal(problem("npx -y server /srv", ["KEY"]), "env");
  assert.equal(problem("npx"), "command");
  assert.equal(commandProblem({ command: "npx -y server /srv", args: [], env: [] }, allowed)?.field, "command");
});

Deno.test("isChosen() knows names and patterns, and takes no time with hostile ones", () => {
  assert.equal(isChosen("getPet", {}), true);
  assert.equal(isChosen("getPet", { include: ["get*"] }), true);
  assert.equal(isChosen("getPet", { include: ["*Pet", "x"], exclude: ["g*t*t"] }), false);
  assert.equal(isChosen("getPet", { include: ["get"] }), false);
  assert.equal(isChosen("aa", { include: ["aa*aa"] }), false);
  assert.equal(isChosen("a".repeat(10_000), { include: [`${"a*".repeat(100)}b`] }), false);
});

Deno.test("baseUrlOf() takes a fetched document's word for its own host alone", () => {
  const from = "https://a.example/spec/openapi.json";
  const base = (url: unknown, specUrl: string | null = from) => baseUrlOf({ servers: [{ url }] }, specUrl);
  assert.equal(base("/v1/"), "https://a.example/v1");
  assert.equal(baseUrlOf({}, from), "https://a.example");
  assert.equal(base("https://b.example/x", null), "https://b.example/x");
  assert.throws(() => base("https://b.example/x"), /is not where the document is from/);
  assert.throws(() => base("/v1", null), /Set "baseUrl"/);
  assert.throws(() => base("https://{region}.a.example"), /variables/);
  assert.throws(() => base("ftp://a.example"), /scheme/);
  assert.throws(() => base("https://u:p@a.example"), /credentials/);
});

Deno.test("offeredName() makes names that ids and templates can hold", () => {
  assert.deepEqual(["get-env", "a.b/c d", "1st", ""].map(offeredName), ["get-env", "a_b_c_d", "_1st", "_"]);
});

Deno.test("Circuit opens after five failures, lets one call through, and waits longer each time", () => {
  let now = 0;
  const clock = { now: () => now } as Clock; // it asks for the time alone
  const circuit = new Circuit("c", clock, () => 1);
  const fails = () => {
    circuit.enter();
    circuit.failed();
  };
  for (let i = 0; i < 4; i++) fails();
  circuit.enter();
  circuit.succeeded();
  for (let i = 0; i < 5; i++) fails();
  assert.equal(circuit.state, "open");
  assert.throws(() => circuit.enter(), {
    code: "UNAVAILABLE",
    details: { client: "c", reason: "down", retryAfterMs: 500 },
  });
  now = 500;
  circuit.enter();
  assert.throws(() => circuit.enter(), { code: "UNAVAILABLE" });
  circuit.left();
  fails();
  assert.equal(circuit.openUntil, 1_500);
  now = 1_500;
  circuit.enter();
  circuit.succeeded();
  assert.deepEqual([circuit.state, circuit.openUntil], ["closed", null]);
});

Deno.test("CallSlots gives a free place to whoever waits longest, and refuses when too many wait", async () => {
  const slots = new CallSlots(1);
  const { signal } = new AbortController();
  const free = await slots.acquire(signal);
  const order: number[] = [];
  const waiting = [1, 2].map((n) => slots.acquire(signal).then((next) => (order.push(n), next)));
  assert.deepEqual([slots.used, slots.waiting], [1, 2]);
  free();
  (await waiting[0]!)();
  (await waiting[1]!)();
  assert.deepEqual([order, slots.used, slots.waiting], [[1, 2], 0, 0]);
  const hold = await slots.acquire(signal);
  const controller = new AbortController();
  const many = Array.from({ length: 1_000 }, () => slots.acquire(controller.signal));
  await assert.rejects(slots.acquire(signal), { code: "OVERLOADED" });
  controller.abort(new Error("enough"));
  for (const one of many) await assert.rejects(one, /enough/);
  hold();
  assert.deepEqual([slots.used, slots.waiting], [0, 0]);
});

async function provider(keyRing: ReturnType<typeof generateKeyRing>, keys: readonly string[]): Promise<ClientRecord> {
  const secrets = await Promise.all(keys.map((value, n) => sealSecret(keyRing, { name: `key:${n}`, value, at: 1 })));
  const config = {
    type: "llm-provider",
    kind: "openai",
    baseUrl: "https://a.example/v1",
    models: [{ id: "m" }],
  } as const;
  return { id: "1", orgId: "o", name: "p", config, secrets, revision: 1, createdAt: 1, updatedAt: 1 };
}

Deno.test("createProviderDirectory() gives providers with their keys in order, and sees a change within half a second", async () => {
  const [keyRing, store] = [generateKeyRing(), createMemoryClientStore()];
  let now = 0;
  const directory = createProviderDirectory({ store, keyRing, now: () => now });
  const keys = Array.from({ length: 11 }, (_, n) => `key-number-${n}`);
  const client = await provider(keyRing, keys);
  await store.put({ client, before: null, keepCatalog: false });
  const [found] = await directory.providers("o");
  assert.deepEqual([found?.name, found?.kind, found?.keys, found?.models], ["p", "openai", keys, [{ id: "m" }]]);
  assert.deepEqual(await directory.providers("other"), []);
  await store.remove(client);
  assert.equal((await directory.providers("o")).length, 1);
  now = 500;
  assert.deepEqual(await directory.providers("o"), []);
});

Deno.test("resealSecrets() seals with the current key what an older one has sealed", async () => {
  const [keyRing, store] = [generateKeyRing(), createMemoryClientStore()];
  const client = await provider(keyRing, ["one-key", "two-key"]);
  await store.put({ client, before: null, keepCatalog: false });
  const rotated = keyRing.rotated();
  assert.equal(await resealSecrets({ store, keyRing: rotated }), 2);
  assert.equal(await resealSecrets({ store, keyRing: rotated }), 0);
  const after = await store.find(client);
  assert.deepEqual(after?.secrets.map(({ sealed }) => sealed.keyVersion), [2, 2]);
  assert.deepEqual([...(await openSecrets(rotated, after!.secrets)).values()], ["one-key", "two-key"]);
});
