// Restate with the same trivial steps. Runs under Node in a folder where the SDK and the server are installed; starts the
// server (PEER_SERVER) on free ports with its data in this folder. Requests and answers as in the DBOS case.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import process from "node:process";

// Node 20 lacks it, and the SDK uses it.
Promise.withResolvers ??= () => {
  const deferred = {};
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
  return deferred;
};

const sdk = "@restatedev/restate-sdk"; // by variable: this repository does not have it
const restate = await import(sdk);

const step = (context, name, value) => context.run(name, () => Promise.resolve(value));
const service = restate.service({
  name: "bench",
  handlers: {
    seq3: async (context) => {
      let value = 0;
      for (const name of ["s0", "s1", "s2"]) value = await step(context, name, value + 1);
      return value;
    },
    fan100: async (context) => {
      await step(context, "first", 0);
      await restate.RestatePromise.all(Array.from({ length: 100 }, (_, i) => step(context, `f${i}`, i)));
      return await step(context, "last", 1);
    },
  },
});

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const [ingress, admin, node, own] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
const server = spawn(process.env.PEER_SERVER, ["--base-dir", `${process.cwd()}/data`], {
  stdio: "ignore",
  env: {
    ...process.env,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
    RESTATE_DISABLE_TELEMETRY: "true",
    DO_NOT_TRACK: "1",
    RESTATE_LOG_FILTER: "error",
    RESTATE_NODE_NAME: "bench",
  },
});
process.on("exit", () => server.kill("SIGKILL"));
process.on("SIGTERM", () => process.exit(1));

async function retried(work) {
  for (let attempt = 0;; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function post(url, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
}

await restate.serve({ services: [service], port: own, hostname: "127.0.0.1" });
await retried(() => post(`http://127.0.0.1:${admin}/deployments`, { uri: `http://127.0.0.1:${own}` }));
await retried(() => post(`http://127.0.0.1:${ingress}/bench/seq3`, null));

async function load({ workflow, count, atOnce }) {
  const durations = [];
  let started = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (started++ < count) {
      const since = performance.now();
      await post(`http://127.0.0.1:${ingress}/bench/${workflow}`, null);
      durations.push(performance.now() - since);
    }
  }));
  return { seconds: (performance.now() - start) / 1000, durations };
}

console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await load(JSON.parse(line))));
}
process.exit(0);
