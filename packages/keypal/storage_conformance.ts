import assert from "node:assert/strict";
import type { ApiKeyMetadata, ApiKeyRecord } from "./api_key_record.ts";
import type { AuditAction, AuditLog } from "./audit_log.ts";
import type { Storage } from "./storage.ts";

/** One check of a storage; each is given an empty one. */
export interface StorageCheck {
  readonly name: string;
  run(storage: Storage): Promise<void>;
}

/** What every storage does. A host runs these over its own. */
export const STORAGE_CHECKS: readonly StorageCheck[] = [
  {
    name: "save() keeps every field, and replaces what has the same id",
    async run(storage) {
      const full = makeRecord("a", {
        ownerId: "ada",
        orgId: "o1",
        name: "ci",
        description: "for builds",
        scopes: ["run:read"],
        resources: { "run:1": ["read"] },
        tags: ["x", "y"],
        enabled: true,
        createdAt: "2026-01-01T00:00:00.000Z",
        expiresAt: "2027-01-01T00:00:00.000Z",
        lastUsedAt: "2026-01-02T00:00:00.000Z",
        revokedAt: null,
        rotatedTo: null,
      });
      await storage.save(full);
      assert.deepEqual(await storage.findById("a"), full);
      const changed = { ...full, metadata: { ...full.metadata, name: "cd", scopes: [] } };
      await storage.save(changed);
      assert.deepEqual(await storage.findById("a"), changed);
      assert.deepEqual(await storage.findByHash(full.keyHash), changed);
    },
  },
  {
    name: "save() refuses a second record with the same hash",
    async run(storage) {
      await storage.save(makeRecord("a"));
      await assert.rejects(storage.save({ ...makeRecord("b"), keyHash: makeRecord("a").keyHash }));
      assert.equal(await storage.findById("b"), null);
    },
  },
  {
    name: "finds are null or empty for what is unknown",
    async run(storage) {
      assert.equal(await storage.findById("none"), null);
      assert.equal(await storage.findByHash("none"), null);
      assert.deepEqual(await storage.findByOwner("none"), []);
      assert.deepEqual(await storage.findByOrg("none"), []);
      assert.deepEqual(await storage.findByTags(["none"]), []);
    },
  },
  {
    name: "lists are oldest first, by owner, organization and any of the tags",
    async run(storage) {
      await storage.save(makeRecord("a", { ownerId: "ada", orgId: "o1", tags: ["x"] }, 1));
      await storage.save(makeRecord("b", { ownerId: "bob", orgId: "o1", tags: ["y"] }, 2));
      await storage.save(makeRecord("c", { ownerId: "ada", orgId: "o2", tags: ["x", "y"] }, 3));
      assert.deepEqual(ids(await storage.findByOwner("ada")), ["a", "c"]);
      assert.deepEqual(ids(await storage.findByOrg("o1")), ["a", "b"]);
      assert.deepEqual(ids(await storage.findByTag("x")), ["a", "c"]);
      assert.deepEqual(ids(await storage.findByTags(["x", "y"])), ["a", "b", "c"]);
      assert.deepEqual(ids(await storage.findByTags(["x", "y"], "bob")), ["b"]);
    },
  },
  {
    name: "finds by tag are in lower case, and none for no tags",
    async run(storage) {
      await storage.save(makeRecord("a", { ownerId: "ada", tags: ["x"] }));
      assert.deepEqual(ids(await storage.findByTag("X")), ["a"]);
      assert.deepEqual(ids(await storage.findByTags(["X", "x"], "ada")), ["a"]);
      assert.deepEqual(await storage.findByTags([]), []);
      assert.deepEqual(await storage.findByTags([], "ada"), []);
    },
  },
  {
    name: "lists follow what updateMetadata() and save() change",
    async run(storage) {
      await storage.save(makeRecord("a", { ownerId: "ada", orgId: "o1", tags: ["x", "y"] }));
      await storage.updateMetadata("a", { ownerId: "bob", orgId: "o2", tags: ["y", "z"] });
      const lists = async () => [
        ids(await storage.findByOwner("ada")),
        ids(await storage.findByOwner("bob")),
        ids(await storage.findByOrg("o1")),
        ids(await storage.findByOrg("o2")),
        ids(await storage.findByTag("x")),
        ids(await storage.findByTag("y")),
        ids(await storage.findByTag("z")),
      ];
      assert.deepEqual(await lists(), [[], ["a"], [], ["a"], [], ["a"], ["a"]]);
      const again = { ...makeRecord("a", { ownerId: "ada", orgId: "o1", tags: ["x"] }), keyHash: "another" };
      await storage.save(again);
      assert.deepEqual(await lists(), [["a"], [], ["a"], [], ["a"], [], []]);
      assert.equal(await storage.findByHash(makeRecord("a").keyHash), null);
      assert.equal((await storage.findByHash("another"))?.id, "a");
    },
  },
  {
    name: "updateMetadata() merges, and does nothing for an unknown id",
    async run(storage) {
      await storage.save(makeRecord("a", { ownerId: "ada", name: "ci", enabled: true }));
      await storage.updateMetadata("a", { enabled: false });
      const { metadata } = await found(storage, "a");
      assert.deepEqual([metadata.name, metadata.enabled], ["ci", false]);
      await storage.updateMetadata("none", { enabled: false });
      assert.equal(await storage.findById("none"), null);
    },
  },
  {
    // A use is written without anyone waiting for it: had it written the whole record back, it could undo a revocation.
    name: "updateMetadata() loses no field when two change different ones at once",
    async run(storage) {
      const revokedAt = "2026-02-01T00:00:00.000Z";
      await storage.save(makeRecord("a", { ownerId: "ada", revokedAt: null }));
      const use = (day: number) => ({ lastUsedAt: new Date(Date.UTC(2026, 0, day)).toISOString() });
      await Promise.all([
        ...[1, 2, 3].map((day) => storage.updateMetadata("a", use(day))),
        storage.updateMetadata("a", { revokedAt }),
        ...[4, 5, 6].map((day) => storage.updateMetadata("a", use(day))),
      ]);
      const { metadata } = await found(storage, "a");
      assert.equal(metadata.revokedAt, revokedAt);
      assert.match(metadata.lastUsedAt ?? "", /^2026-01-0[1-6]/);
    },
  },
  {
    name: "delete() and deleteByOwner() remove records and their hashes",
    async run(storage) {
      await storage.save(makeRecord("a", { ownerId: "ada" }));
      await storage.save(makeRecord("b", { ownerId: "ada" }));
      await storage.save(makeRecord("c", { ownerId: "bob" }));
      await storage.delete("a");
      await storage.delete("none");
      assert.equal(await storage.findByHash(makeRecord("a").keyHash), null);
      await storage.deleteByOwner("ada");
      assert.equal(await storage.findById("b"), null);
      assert.deepEqual(ids(await storage.findByOwner("bob")), ["c"]);
    },
  },
];

/** What a storage does that keeps audit logs. */
export const AUDIT_CHECKS: readonly StorageCheck[] = [
  {
    name: "findLogs() gives logs whole, the newest first, also those of one ms",
    async run(storage) {
      const logs = [
        makeLog(1, "created", 1),
        makeLog(2, "disabled", 1),
        makeLog(3, "enabled", 2, { data: { by: "root" } }),
      ];
      for (const log of logs) await storage.saveLog?.(log);
      assert.deepEqual(await storage.findLogs?.({}), logs.toReversed());
    },
  },
  {
    name: "findLogs() and countLogs() filter by key, owner, action and time, both ends included",
    async run(storage) {
      await storage.saveLog?.(makeLog(1, "created", 1));
      await storage.saveLog?.(makeLog(2, "created", 2, { keyId: "k2", ownerId: "bob" }));
      await storage.saveLog?.(makeLog(3, "revoked", 3));
      const wanted = [
        [{ keyId: "k1" }, ["l3", "l1"]],
        [{ ownerId: "bob" }, ["l2"]],
        [{ keyId: "k1", ownerId: "bob" }, []],
        [{ action: "created" }, ["l2", "l1"]],
        [{ startDate: at(2) }, ["l3", "l2"]],
        [{ endDate: at(2) }, ["l2", "l1"]],
        [{ startDate: at(2), endDate: at(2) }, ["l2"]],
        [{ limit: 1 }, ["l3"]],
        [{ offset: 1, limit: 1 }, ["l2"]],
        [{ ownerId: "ada", offset: 1 }, ["l1"]],
      ] as const;
      for (const [query, found] of wanted) {
        assert.deepEqual((await storage.findLogs?.(query))?.map(({ id }) => id), found, JSON.stringify(query));
      }
      assert.equal(await storage.countLogs?.({ action: "created" }), 2);
    },
  },
  {
    name: "deleteLogs() deletes what fits and says how many; getLogStats() counts one owner's",
    async run(storage) {
      assert.deepEqual(await storage.getLogStats?.("ada"), { total: 0, byAction: {}, lastActivity: null });
      await storage.saveLog?.(makeLog(1, "created", 1));
      await storage.saveLog?.(makeLog(2, "disabled", 2));
      await storage.saveLog?.(makeLog(3, "created", 3, { keyId: "k2" }));
      await storage.saveLog?.(makeLog(4, "created", 4, { keyId: "k3", ownerId: "bob" }));
      assert.deepEqual(await storage.getLogStats?.("ada"), {
        total: 3,
        byAction: { created: 2, disabled: 1 },
        lastActivity: at(3),
      });
      assert.equal(await storage.deleteLogs?.({ keyId: "k1" }), 2);
      assert.equal(await storage.deleteLogs?.({ keyId: "k1" }), 0);
      assert.deepEqual((await storage.findLogs?.({}))?.map(({ id }) => id), ["l4", "l3"]);
    },
  },
];

function at(second: number): string {
  return new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
}

function makeLog(number: number, action: AuditAction, second: number, more: Partial<AuditLog> = {}): AuditLog {
  return { id: `l${number}`, action, keyId: "k1", ownerId: "ada", timestamp: at(second), ...more };
}

function makeRecord(id: string, metadata: ApiKeyMetadata = { ownerId: "ada" }, second = 0): ApiKeyRecord {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  return { id, keyHash: `hash-of-${id}`, metadata: { createdAt, ...metadata } };
}

async function found(storage: Storage, id: string): Promise<ApiKeyRecord> {
  const record = await storage.findById(id);
  assert.ok(record !== null);
  return record;
}

function ids(records: readonly ApiKeyRecord[]): string[] {
  return records.map(({ id }) => id);
}
