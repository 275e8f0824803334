// DBOS with the same trivial steps. Runs under Node in a folder where the SDK is installed; PEER_DATABASE_URL names the
// database. One JSON request a line on stdin, one JSON answer a line on stdout.
import { createInterface } from "node:readline";
import process from "node:process";

const sdk = "@dbos-inc/dbos-sdk"; // by variable: this repository does not have it
const { DBOS } = await import(sdk);

const step = (name, value) => DBOS.runStep(() => Promise.resolve(value), { name });
const workflows = {
  seq3: DBOS.registerWorkflow(async () => {
    let value = 0;
    for (const name of ["s0", "s1", "s2"]) value = await step(name, value + 1);
    return value;
  }, { name: "seq3" }),
  fan100: DBOS.registerWorkflow(async () => {
    await step("first", 0);
    await Promise.all(Array.from({ length: 100 }, (_, i) => step(`f${i}`, i)));
    return await step("last", 1);
  }, { name: "fan100" }),
};

DBOS.setConfig({
  name: "bench",
  systemDatabaseUrl: process.env.PEER_DATABASE_URL,
  logLevel: "error",
  applicationVersion: "1",
});
await DBOS.launch();

async function one(name) {
  const start = performance.now();
  await (await DBOS.startWorkflow(workflows[name])()).getResult();
  return performance.now() - start;
}

async function load({ workflow, count, atOnce }) {
  const durations = [];
  let started = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (started++ < count) durations.push(await one(workflow));
  }));
  return { seconds: (performance.now() - start) / 1000, durations };
}

console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await load(JSON.parse(line))));
}
await DBOS.shutdown();
process.exit(0);
