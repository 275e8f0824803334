import assert from "node:assert/strict";
import { hub } from "../_command.ts";

const WEBHOOK = {
  id: "w-1",
  definition: { kind: "outbound", name: "alerts", url: "https://example.com/hook" },
  paused: false,
  path: null,
  accepted: 1,
  rejected: 0,
  lastError: null,
};

/** Runs `hub webhooks …` against a hub with one webhook; gives what was asked after it was found. */
async function webhooks(words: readonly string[], answer: unknown = WEBHOOK): Promise<readonly [string, string]> {
  const told = await hub(
    ["webhooks", ...words],
    (request) => Response.json(request.method === "GET" ? { items: [WEBHOOK], nextCursor: null } : answer),
  );
  assert.equal(told.code, 0, told.err);
  return [told.requests.at(-1) ?? "", told.out];
}

Deno.test("hub webhooks pause, resume and remove name a webhook by its name or id", async () => {
  for (const name of ["alerts", "w-1"]) {
    const [request, out] = await webhooks(["pause", name], { ...WEBHOOK, paused: true });
    assert.equal(request, "POST /api/webhooks/w-1/pause");
    assert.match(out, /alerts.*paused/);
  }
  const [request] = await webhooks(["resume", "alerts"]);
  assert.equal(request, "POST /api/webhooks/w-1/resume");
  assert.equal((await webhooks(["remove", "alerts"]))[0], "DELETE /api/webhooks/w-1");
  const unknown = await hub(
    ["webhooks", "pause", "other"],
    () => Response.json({ items: [WEBHOOK], nextCursor: null }),
  );
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /no webhook "other"[\s\S]*hub webhooks list/);
});

Deno.test("hub webhooks redeliver sends one delivery again", async () => {
  const [request, out] = await webhooks(["redeliver", "alerts", "d/1"], { id: "d/1" });
  assert.equal(request, "POST /api/webhooks/w-1/deliveries/d%2F1/redeliver");
  assert.equal(out, "Delivery d/1 is sent again");
});
