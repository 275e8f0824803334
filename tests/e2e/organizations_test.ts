import assert from "node:assert/strict";
import { startHubProcess } from "./_hub_process.ts";

Deno.test("an organization is made with a key of its own, which administers no organizations", async () => {
  await using hub = await startHubProcess();
  const body = { id: "acme", name: "Acme", ownerId: "eve" };
  const made = await hub.api<{ key: { key: string } }>("POST", "/api/organizations", { body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { key } = made.body.key;
  assert.equal((await hub.api("POST", "/api/organizations", { body })).body.code, "ORGANIZATION_EXISTS");
  const listed = await hub.api<{ items: { id: string }[] }>("GET", "/api/organizations");
  assert.deepEqual(listed.body.items.map(({ id }) => id), ["acme", "default"]);
  const members = await hub.api<{ items: unknown[] }>("GET", "/api/organizations/acme/members");
  assert.deepEqual(members.body.items, [{ accountId: "eve", keys: 1 }]);
  assert.equal((await hub.api("GET", "/api/organizations/none/members")).body.code, "ORGANIZATION_NOT_FOUND");
  assert.equal((await hub.api("GET", "/api/runs", { key })).status, 200);
  assert.equal((await hub.api<{ items: unknown[] }>("GET", "/api/keys", { key })).body.items.length, 1);
  // Its key may do everything, in its own organization.
  for (const path of ["/api/organizations", "/api/organizations/default/members", "/api/organizations/none/members"]) {
    assert.equal((await hub.api("GET", path, { key })).status, 403, path);
  }
  assert.equal((await hub.api("POST", "/api/organizations", { key, body: { id: "more" } })).status, 403);
});
