import assert from "node:assert/strict";
import { databaseKinds, testDatabase } from "../../tests/support/test_database.ts";
import { workflowStoreConformance } from "../templates/workflow_store_conformance.ts";
import { createKeyStorage } from "./api_key_store.ts";
import { createAuditLog } from "./audit_store.ts";
import { createSpokeStore } from "./spoke_store.ts";
import type { SpokeRow } from "./spoke_store.ts";
import { createWorkflowStore } from "./workflow_store.ts";

for (const kind of await databaseKinds()) {
  workflowStoreConformance(`${kind}: WorkflowStore`, async () => {
    const { db, drop } = await testDatabase(kind);
    return { store: createWorkflowStore(db), orgs: ["org-1", "org-2"] as const, close: drop };
  });

  Deno.test(`${kind}: createKeyStorage() keeps records, merges metadata and finds them every way`, async () => {
    const { db, drop } = await testDatabase(kind);
    const store = createKeyStorage(db);
    const metadata = {
      ownerId: "someone",
      orgId: "org",
      name: "Key",
      scopes: ["a"],
      resources: { "project:1": ["read"] },
      tags: ["x", "y"],
      createdAt: "2026-01-02T03:04:05.678Z",
    };
    const record = { id: "k1", keyHash: "h1", metadata };
    await store.save(record);
    await store.save({ id: "k2", keyHash: "h2", metadata: { ownerId: "someone", tags: ["y"] } });
    await assert.rejects(store.save({ ...record, id: "k3" }));
    assert.deepEqual(await store.findByHash("h1"), await store.findById("k1"));
    const found = await store.findById("k1");
    assert.deepEqual(found, {
      ...record,
      metadata: { ...metadata, enabled: true, expiresAt: null, revokedAt: null, lastUsedAt: null, rotatedTo: null },
    });
    await store.updateMetadata("k1", { revokedAt: "2026-02-02T00:00:00.000Z", enabled: false });
    assert.equal((await store.findById("k1"))?.metadata.revokedAt, "2026-02-02T00:00:00.000Z");
    assert.equal((await store.findById("k1"))?.metadata.name, "Key");
    assert.deepEqual((await store.findByOwner("someone")).map(({ id }) => id), ["k1", "k2"]);
    assert.deepEqual((await store.findByOrg("org")).map(({ id }) => id), ["k1"]);
    assert.deepEqual((await store.findByTags(["X", "z"])).map(({ id }) => id), ["k1"]);
    assert.deepEqual(await store.findByTag("y", "other"), []);
    await store.delete("k1");
    await store.deleteByOwner("someone");
    assert.equal(await store.findById("k2"), null);
    await drop();
  });

  Deno.test(`${kind}: createKeyStorage() keeps logs, and createAuditLog() pages through its own`, async () => {
    const { db, drop } = await testDatabase(kind);
    const keys = createKeyStorage(db);
    const log = {
      id: "l1",
      action: "created",
      keyId: "k",
      ownerId: "o",
      timestamp: "2026-01-02T03:04:05.678Z",
    } as const;
    await keys.saveLog?.(log);
    await keys.saveLog?.({
      ...log,
      id: "l2",
      action: "revoked",
      timestamp: "2026-01-03T00:00:00.000Z",
      data: { a: "\u0000" },
    });
    assert.deepEqual((await keys.findLogs?.({ keyId: "k" }))?.map(({ id }) => id), ["l2", "l1"]);
    assert.deepEqual(await keys.findLogs?.({ action: "created" }), [log]);
    assert.equal(await keys.countLogs?.({ startDate: log.timestamp, endDate: log.timestamp }), 1);
    assert.deepEqual(await keys.getLogStats?.("o"), {
      total: 2,
      byAction: { created: 1, revoked: 1 },
      lastActivity: "2026-01-03T00:00:00.000Z",
    });
    assert.equal(await keys.deleteLogs?.({ action: "created" }), 1);

    const audit = createAuditLog(db);
    for (const action of ["one", "two", "three"]) {
      await audit.append({ action, ownerId: "o", keyId: null, orgId: "default", details: { action } });
    }
    await audit.record({
      action: "key.created",
      orgId: "new-org",
      actorId: "new-actor",
      actorKeyId: "ka",
      keyId: "kb",
      at: 1_700_000_000_123,
      data: { scopes: [] },
    });
    const [recorded] = (await audit.list({ orgId: "new-org", limit: 2 })).items;
    assert.deepEqual({ ...recorded, id: "" }, {
      id: "",
      action: "key.created",
      ownerId: "new-actor",
      keyId: "kb",
      orgId: "new-org",
      details: { scopes: [], actorKeyId: "ka" },
      at: 1_700_000_000_123,
    });
    const first = await audit.list({ orgId: "default", limit: 2 });
    assert.ok(first.nextCursor !== null);
    const rest = await audit.list({ orgId: "default", limit: 2, cursor: first.nextCursor });
    assert.equal(rest.nextCursor, null);
    const actions = [...first.items, ...rest.items].map((entry) => entry.action);
    assert.deepEqual(actions.toSorted(), ["one", "three", "two"]);
    await drop();
  });

  Deno.test(`${kind}: createSpokeStore() loads what is connected to a hub, and forgets the secret of what left`, async () => {
    const { db, drop } = await testDatabase(kind);
    const store = createSpokeStore(db);
    const record: SpokeRow = {
      id: "s1",
      orgId: "org",
      identityId: "u",
      name: "spoke",
      spokeType: "dev-env",
      version: null,
      labels: { gpu: "\u0000" },
      hostInfo: null,
      maxConcurrency: 3,
      resumeTokenHash: "5ec2e7",
      operations: [],
      connectedAt: 1_700_000_000_123,
    };
    await store.connected({ hubId: "a", record });
    await store.connected({ hubId: "a", record: { ...record, maxConcurrency: 4 } });
    await store.heartbeats({ spokeIds: ["s1", "unknown"], at: 1_700_000_000_999 });
    assert.deepEqual(await store.load({ hubId: "a" }), [{ ...record, maxConcurrency: 4 }]);
    assert.deepEqual(await store.load({ hubId: "b" }), []);
    await store.disconnected({ spokeId: "s1", at: 1_700_000_001_000, reason: "left" });
    assert.deepEqual(await store.load({ hubId: "a" }), []);
    assert.deepEqual(await db.query("select resume_token_hash from spokes"), [{ resume_token_hash: "" }]);
    await drop();
  });
}
