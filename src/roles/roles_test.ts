import assert from "node:assert/strict";
import type { Caller } from "../runs/mod.ts";
import {
  createMemoryMemberStore,
  createMemoryRoleStore,
  mayUseOperation,
  Members,
  needsApproval,
  Roles,
} from "./mod.ts";
import type { NewRole, RoleDefinition } from "./role.ts";

const caller = (scopes: readonly string[] = ["*"], id = "ada", orgId = "a"): Caller => ({
  identity: { id, scopes },
  orgId,
});
const open = (acting: RoleDefinition | null = null): Roles =>
  new Roles({ store: createMemoryRoleStore(), now: () => 7, acting: () => Promise.resolve(acting) });
const refused = (code: string, says: RegExp) => (error: unknown): true => {
  assert.ok(error instanceof Error && "code" in error);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, says);
  return true;
};

Deno.test("Roles has the built-in roles of each organization before the first look, once", async () => {
  const store = createMemoryRoleStore();
  for (let hub = 0; hub < 2; hub++) {
    const { items } = await new Roles({ store, now: () => 7 }).list({ caller: caller(), limit: 10 });
    assert.deepEqual(items.map(({ name, version, builtIn, createdBy }) => [name, version, builtIn, createdBy]), [
      ["assistant", 1, true, "hub"],
      ["coordinator", 1, true, "hub"],
      ["implementer", 1, true, "hub"],
      ["reviewer", 1, true, "hub"],
    ]);
  }
});

Deno.test("Roles keeps what an organization has made of a built-in role, and gives it a newer one of the hub else", async () => {
  const store = createMemoryRoleStore();
  const old = (name: string) =>
    store.put({
      orgId: "a",
      name,
      before: 0,
      definition: { ...plain, systemPrompt: "old" },
      builtIn: true,
      createdBy: "hub",
      now: 1,
    });
  await old("assistant");
  await old("reviewer");
  await store.put({
    orgId: "a",
    name: "reviewer",
    before: 1,
    definition: plain,
    builtIn: false,
    createdBy: "ada",
    now: 2,
  });
  await old("implementer");
  await store.archive({ orgId: "a", name: "implementer", now: 3 });
  const roles = new Roles({ store, now: () => 7 });
  const { items } = await roles.list({ caller: caller(), limit: 10, archived: true });
  assert.deepEqual(items.map(({ name, version, builtIn }) => [name, version, builtIn]), [
    ["assistant", 2, true],
    ["coordinator", 1, true],
    ["implementer", 1, true],
    ["reviewer", 2, false],
  ]);
});

const plain: RoleDefinition = {
  title: "",
  description: "",
  systemPrompt: "Do it.",
  model: null,
  temperature: null,
  tools: { operations: [], workflows: [], approve: [] },
  scopes: [],
  limits: { maxSteps: null, maxTokens: null, maxCostMicros: null, maxTurnMs: null },
  spawn: null,
};

Deno.test("Roles.put() writes a version for each change and none for the same again", async () => {
  const roles = open();
  const put = (role: NewRole, after?: number) =>
    roles.put({ caller: caller(), name: "writer", role, ...(after !== undefined && { after }) });
  const first = await put({ systemPrompt: "Write.", scopes: ["run:read", "run:read"] });
  assert.deepEqual([first.isNew, first.role.version, first.role.scopes, first.role.title], [
    true,
    1,
    ["run:read"],
    "writer",
  ]);
  assert.deepEqual(await put({ systemPrompt: "Write.", scopes: ["run:read"] }), { role: first.role, isNew: false });
  const second = await put({ systemPrompt: "Write well." }, 1);
  assert.deepEqual([second.role.version, second.role.id], [2, first.role.id]);
  await assert.rejects(put({ systemPrompt: "Third." }, 1), refused("ROLE_CHANGED", /latest version is 2/));
  await assert.rejects(put({ systemPrompt: "New." }, 0), refused("ROLE_CHANGED", /latest version is 2/));
  assert.equal((await roles.resolve({ orgId: "a", ref: "writer@1" })).systemPrompt, "Write.");
  assert.equal((await roles.resolve({ orgId: "a", ref: "writer" })).systemPrompt, "Write well.");
  await assert.rejects(roles.resolve({ orgId: "b", ref: "writer" }), refused("ROLE_NOT_FOUND", /"writer"/));
});

Deno.test("Roles.archive() takes a role from new sessions, and not its versions", async () => {
  const roles = open();
  await roles.put({ caller: caller(), name: "writer", role: { systemPrompt: "Write." } });
  assert.equal((await roles.archive({ caller: caller(), name: "writer" })).archivedAt, 7);
  await assert.rejects(roles.resolve({ orgId: "a", ref: "writer" }), refused("ROLE_NOT_FOUND", /writer/));
  assert.equal((await roles.resolve({ orgId: "a", ref: "writer@1" })).version, 1);
  const again = await roles.put({ caller: caller(), name: "writer", role: { systemPrompt: "Write." } });
  assert.deepEqual([again.isNew, again.role.version, again.role.archivedAt], [true, 2, null]);
});

Deno.test("Roles.put() refuses a role that may do more than who makes it", async (t) => {
  const weak = caller(["role:write", "run:read", "operation:call:fs.*", "workflow:run:report-*"]);
  const cases: readonly (readonly [string, NewRole, RegExp | null])[] = [
    ["its own scopes and tools", {
      systemPrompt: "",
      scopes: ["run:read", "run:read:report-a"],
      tools: { operations: ["fs.read", "fs.*"], workflows: ["report-daily"] },
    }, null],
    ["a wider scope", { systemPrompt: "", scopes: ["run:*"] }, /itself holds "run:\*"/],
    ["another scope", { systemPrompt: "", scopes: ["keys:write"] }, /"keys:write"/],
    ["all operations", { systemPrompt: "", tools: { operations: ["*"] } }, /"operation:call:\*"/],
    ["another operation", { systemPrompt: "", tools: { operations: ["bash.run"] } }, /"operation:call:bash.run"/],
    ["another workflow", { systemPrompt: "", tools: { workflows: ["*"] } }, /"workflow:run:\*"/],
  ];
  for (const [what, role, says] of cases) {
    await t.step(what, async () => {
      const put = open().put({ caller: weak, name: "mine", role });
      if (says === null) assert.equal((await put).isNew, true);
      else await assert.rejects(put, refused("ACCESS_DENIED", says));
    });
  }
  await t.step("nor may it archive one", async () => {
    const roles = open();
    await roles.put({ caller: caller(), name: "strong", role: { systemPrompt: "", scopes: ["keys:write"] } });
    await assert.rejects(roles.archive({ caller: weak, name: "strong" }), refused("ACCESS_DENIED", /archive/));
  });
});

Deno.test("Roles.put() keeps what a session makes inside the session's own role", async (t) => {
  const acting: RoleDefinition = {
    ...plain,
    tools: { operations: ["fs.*", "coord.spawn"], workflows: ["a*"], approve: ["fs.write"] },
    spawn: { roles: ["reviewer", "implementer"], maxDepth: 3, maxBreadth: 4 },
  };
  const approve = ["fs.write"];
  const spawn = { roles: ["reviewer"], maxDepth: 2, maxBreadth: 4 };
  const cases: readonly (readonly [string, Partial<NewRole>, RegExp | null])[] = [
    ["less of everything", { tools: { operations: ["fs.read"], workflows: ["ab"], approve }, spawn }, null],
    ["other tools", { tools: { operations: ["bash.run"], approve } }, /does not have the tools "bash.run"/],
    ["other workflows", { tools: { workflows: ["*"], approve } }, /"workflow.\*"/],
    ["no approval", { tools: { operations: ["fs.*"] } }, /asks a person before "fs.write"/],
    ["other roles to spawn", { tools: { approve }, spawn: { ...spawn, roles: ["coordinator"] } }, /may not spawn/],
    ["as deep as itself", { tools: { approve }, spawn: { ...spawn, maxDepth: 3 } }, /3 deep/],
    ["wider than itself", { tools: { approve }, spawn: { ...spawn, maxBreadth: 5 } }, /5 at a time/],
  ];
  for (const [what, role, says] of cases) {
    await t.step(what, async () => {
      const put = open(acting).put({ caller: caller(), name: "child", role: { systemPrompt: "", ...role } });
      if (says === null) assert.equal((await put).isNew, true);
      else await assert.rejects(put, refused("ACCESS_DENIED", says));
    });
  }
});

Deno.test("Roles.put() names what is not valid", async () => {
  const put = (name: string, role: NewRole) => open().put({ caller: caller(), name, role });
  await assert.rejects(put("Bad Name", { systemPrompt: "" }), refused("VALIDATION_ERROR", /"name" is "Bad Name"/));
  await assert.rejects(
    put("x", { systemPrompt: "", scopes: ["rnu:read"] }),
    refused("VALIDATION_ERROR", /did you mean "run:read"/),
  );
  await assert.rejects(
    put("x", { systemPrompt: "", spawn: { roles: ["nobody"], maxDepth: 1, maxBreadth: 1 } }),
    refused("VALIDATION_ERROR", /role "nobody", which there is not/),
  );
  await assert.rejects(open().get({ caller: caller(), ref: "x@0" }), refused("VALIDATION_ERROR", /"role" is "x@0"/));
});

Deno.test("mayUseOperation() and needsApproval() go by patterns", () => {
  const role = { tools: { operations: ["fs.*", "git.log"], workflows: [], approve: ["fs.write", "bash.*"] } };
  const may = ["fs.read", "git.log", "hub.call"].map((id) => mayUseOperation(role, id));
  assert.deepEqual([...may, mayUseOperation(role, "git.logs"), mayUseOperation(role, "fs")], [
    true,
    true,
    true,
    false,
    false,
  ]);
  assert.deepEqual(["fs.write", "bash.run", "fs.read"].map((id) => needsApproval(role, id)), [true, true, false]);
});

Deno.test("Members suspends nobody who holds more, nor the owner, nor oneself", async () => {
  const store = createMemoryMemberStore();
  for (const accountId of ["ada", "boss", "bot", "strong"]) {
    await store.add({ orgId: "a", accountId, displayName: "", now: 1 });
  }
  await store.set({ orgId: "a", accountId: "boss", level: "owner" });
  const changed: string[] = [];
  const members = new Members({
    store,
    now: () => 7,
    scopesOf: ({ accountId }) => Promise.resolve(accountId === "strong" ? ["*"] : ["run:read"]),
    changed: ({ accountId }) => Promise.resolve(void changed.push(accountId)),
  });
  const as = caller(["account:write", "run:read"]);
  assert.equal((await members.suspend({ caller: as, accountId: "bot" })).status, "suspended");
  assert.equal((await members.resume({ caller: as, accountId: "bot" })).status, "active");
  assert.deepEqual(changed, ["bot", "bot"]);
  const suspend = (accountId: string, by = as) => members.suspend({ caller: by, accountId });
  await assert.rejects(suspend("ada"), refused("ACCESS_DENIED", /your own/));
  await assert.rejects(suspend("boss"), refused("ACCESS_DENIED", /owns the organization/));
  await assert.rejects(suspend("strong"), refused("ACCESS_DENIED", /itself holds "\*"/));
  await assert.rejects(suspend("bot", caller(["*"], "eve", "b")), refused("ACCOUNT_NOT_FOUND", /"bot"/));
  await assert.rejects(members.create({ caller: as, accountId: "bot" }), refused("ACCOUNT_EXISTS", /"bot"/));
});
