/** Every route of /openapi.json, asked well and badly, on a real hub: no 500, no hang, no crash, no growth, no unknown code. */
import assert from "node:assert/strict";
import { startHubProcess } from "../e2e/_hub_process.ts";
import { checkAnswer, documentedCodes } from "./check_answer.ts";
import { furnish } from "./furnish.ts";
import { fuzz, residentMiB, SEED } from "./fuzz_run.ts";
import { type FuzzRequest, type OpenApiDocument, routeArbitraries } from "./route_arbitrary.ts";

const RUNS_A_ROUTE = 40;

Deno.test("any request to any route is answered, or refused with a documented code", async (t) => {
  await using hub = await startHubProcess();
  const codes = await documentedCodes();
  assert.ok(codes.size > 40);
  const { pools, hints } = await furnish(hub);
  const { body } = await hub.api<OpenApiDocument>("GET", "/openapi.json");
  const routes = routeArbitraries(body, pools, hints);
  const refused: FuzzRequest[] = [];
  const statuses = new Map<number, number>();
  let tried = 0;
  for (const [route, requests] of routes) {
    await t.step(route, async () => {
      tried += await fuzz(route, requests, RUNS_A_ROUTE, async (request) => {
        const status = await checkAnswer(hub.url, hub.key, request, codes);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status >= 400 && (request.body?.length ?? 0) < 10_000) refused.push(request);
      });
    });
  }
  console.log(`seed ${SEED}: ${tried} requests to ${routes.length} routes; answers`, Object.fromEntries(statuses));
  await t.step("some of them were good, and some bad", () => {
    assert.ok((statuses.get(200) ?? 0) > tried / 20, "hardly any request was good");
    assert.ok(refused.length > tried / 5, "hardly any request was bad");
  });
  await t.step("the hub is as well as before", async () => {
    assert.equal((await hub.api("GET", "/ready")).status, 200);
    const run = await hub.api("POST", "/api/workflows/hello/runs", { body: { input: { name: "x" } } });
    assert.ok([202, 409, 429].includes(run.status), JSON.stringify(run.body));
    assert.doesNotMatch(hub.stderr(), /"level":"(error|fatal)"/);
  });
  await t.step("requests that are refused leave nothing behind", async () => {
    const again = async () => {
      for (let at = 0; at < 1_500; at++) {
        await checkAnswer(hub.url, hub.key, refused[at % refused.length]!, codes);
      }
      return await residentMiB(hub.pid);
    };
    const before = await again();
    const after = await again();
    console.log(`resident: ${before.toFixed(0)} MiB, then ${after.toFixed(0)} MiB`);
    assert.ok(after - before < 60, `${(after - before).toFixed(0)} MiB more after 1,500 refused requests`);
  });
});
