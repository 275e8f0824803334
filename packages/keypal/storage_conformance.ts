import assert from "node:assert/strict";
import type { ApiKeyMetadata, ApiKeyRecord } from "./api_key_record.ts";
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
