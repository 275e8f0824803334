import assert from "node:assert/strict";
import { ClientAddresses } from "./client_address.ts";

function asked(remote: string, headers: Record<string, string>, trusted: readonly string[]) {
  const addresses = new ClientAddresses(trusted);
  const request = new Request("http://hub.example/api/runs", { headers });
  addresses.note(request, remote);
  return { address: addresses.of(request), origin: addresses.originOf(request) };
}

const said = { "x-forwarded-for": "6.6.6.6, 203.0.113.7, 10.0.0.9", "x-forwarded-proto": "https" };

Deno.test("ClientAddresses believes nothing that a connection says that is no trusted proxy", () => {
  assert.deepEqual(asked("198.51.100.1", said, []), { address: "198.51.100.1", origin: "http://hub.example" });
  assert.deepEqual(asked("198.51.100.1", said, ["10.0.0.0/8"]), {
    address: "198.51.100.1",
    origin: "http://hub.example",
  });
});

Deno.test("ClientAddresses takes the last address that is no proxy's, not what the client wrote before it", () => {
  const wanted = { address: "203.0.113.7", origin: "https://hub.example" };
  assert.deepEqual(asked("10.0.0.7", said, ["10.0.0.0/8"]), wanted);
  assert.deepEqual(asked("::ffff:10.0.0.7", said, ["10.0.0.0/8"]), wanted);
  assert.equal(asked("fd00::1", { "x-forwarded-for": "2001:db8::5" }, ["fd00::/8"]).address, "2001:db8::5");
  assert.equal(asked("10.0.0.7", { "x-forwarded-for": "1.2.3.4, no-address" }, ["10.0.0.7"]).address, "10.0.0.7");
  assert.equal(asked("10.0.0.7", { "x-forwarded-proto": "gopher" }, ["10.0.0.7"]).origin, "http://hub.example");
});

Deno.test("ClientAddresses refuses a trusted proxy that is no address", () => {
  for (const range of ["proxy", "10.0.0.0/33", "10.0.0.0/8/8", "10.0.0.0/x", ""]) {
    assert.throws(() => new ClientAddresses([range]), /wanted one such as/);
  }
});
