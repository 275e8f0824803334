/** Run by tls_test.ts in a process that trusts the test's certificate authority. Arguments: certificate, key. */
import { createEgress } from "./egress.ts";

const [cert, key] = await Promise.all(Deno.args.map((path) => Deno.readTextFile(path)));
const server = Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: () => {}, cert: cert!, key: key! },
  () => new Response("over TLS"),
);
const { port } = server.addr;
const hosts = ["good.test", "bad.test"];
const egress = createEgress({
  clock: {
    now: Date.now,
    at: (due, callback) => {
      const timer = setTimeout(callback, due - Date.now());
      return () => clearTimeout(timer);
    },
    afterTurn: queueMicrotask,
  },
  allowPrivate: hosts.map((host) => `${host}:${port}`),
  resolve: () => Promise.resolve(["127.0.0.1"]),
});
for (const host of hosts) {
  const answer = await egress.fetch(new Request(`https://${host}:${port}/`)).then((it) => it.text(), String);
  console.log(`${host}: ${answer}`);
}
await server.shutdown();
