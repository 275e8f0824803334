/**
 * A database that an earlier version made, with runs in it that are not over, is brought to this version and its runs finish:
 * for the migrations of each earlier version with rows that today's log writes, and with rows that it did write itself
 * (`fixtures/`, made by `record_upgrade.ts`).
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Json } from "@alkdev/flowgraph";
import { createRunStore, createSpokeStore, type Database, listMigrations, migrate } from "../../src/storage/mod.ts";
import { databaseKinds, emptyDatabase } from "../support/test_database.ts";
import {
  connectSpoke,
  digest,
  type Hub,
  type LeftRuns,
  liveRuns,
  openHub,
  type Recording,
  START,
} from "./_upgrade_world.ts";

const FIXTURES = new URL("fixtures/", import.meta.url);

/** Moves time from timer to timer until all these have ended. */
async function allEnd(hub: Hub, ids: readonly string[]): Promise<void> {
  let ended = false;
  const all = Promise.all(ids.map((id) => hub.engine.done(id))).then(() => ended = true);
  while (!ended) {
    await new Promise<void>((resolve) => hub.clock.afterTurn(resolve));
    const due = hub.clock.nextDue();
    if (due !== null) hub.clock.advance(Math.max(0, due - hub.clock.now()));
  }
  await all;
}

/** Brings the database to this version and lets what was left in it finish. */
async function finishes(db: Database, left: LeftRuns): Promise<void> {
  await migrate(db);
  const hub = await openHub(db, { now: START + 1, answers: true });
  const live = Object.entries(left).filter(([name]) => name !== "over").map(([, { runId }]) => runId);
  assert.deepEqual([...await hub.claim()].sort(), live.toSorted());
  await hub.engine.setPaused(left["paused"]?.runId ?? "", false, "ada");
  const go = { name: "go", payload: { ok: true } satisfies Json, by: "ada" };
  assert.equal(await hub.engine.answer(left["asking"]?.runId ?? "", go), "answered");
  await allEnd(hub, live);

  const store = createRunStore(db);
  for (const [name, { runId, events, digest: before }] of Object.entries(left)) {
    const log = await hub.read(runId);
    assert.equal(digest(log.slice(0, events)), before, `${name}: what was logged before`);
    assert.equal(log.at(-1)?.type, "run.completed", name);
    assert.equal((await store.get({ orgId: "default", runId }))?.status, "completed", name);
    assert.equal(await hub.start(name), runId, `${name}: its idempotency key`);
  }
  await hub.close();
  const [spoke] = await createSpokeStore(db).load({ hubId: "hub" });
  assert.equal(spoke?.resumeTokenHash, createHash("sha256").update("the token").digest("hex"));
}

async function recordings(): Promise<readonly { readonly name: string; readonly recording: Recording }[]> {
  const found: { readonly name: string; readonly recording: Recording }[] = [];
  for await (const { name } of Deno.readDir(FIXTURES)) {
    found.push({ name, recording: JSON.parse(await Deno.readTextFile(new URL(name, FIXTURES))) });
  }
  return found.toSorted((a, b) => a.name.localeCompare(b.name));
}

const migrations = await listMigrations();
const recorded = await recordings();
for (const kind of await databaseKinds()) {
  const test = (name: string, landed: number, leave: (db: Database) => Promise<LeftRuns>) =>
    Deno.test(`${kind}: migrate() lets live runs finish ${name}`, async () => {
      const { db, drop } = await emptyDatabase(kind);
      try {
        await migrate(db, migrations.slice(0, landed));
        await finishes(db, await leave(db));
      } finally {
        await drop();
      }
    });

  for (const { name, recording: { migrations: landed, left, tables } } of recorded) {
    if (landed === migrations.length) continue;
    test(`after the first ${landed} migrations`, landed, async (db) => {
      await connectSpoke(db);
      return await liveRuns(db);
    });
    test(`that are recorded in ${name}`, landed, async (db) => {
      for (const [table, rows] of Object.entries(tables)) {
        const all = `select * from json_populate_recordset(null::${table}, $1::text::json)`;
        await db.query(`insert into ${table} ${all}`, [JSON.stringify(rows)]);
      }
      return left;
    });
  }
}
