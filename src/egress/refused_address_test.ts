import assert from "node:assert/strict";
import { refusedAddress } from "./refused_address.ts";

Deno.test("refusedAddress() lets public addresses pass", () => {
  for (const address of ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"]) {
    assert.equal(refusedAddress(address), null, address);
  }
  assert.equal(refusedAddress("::ffff:1.1.1.1"), null);
  assert.equal(refusedAddress("64:ff9b::101:101"), null);
});

Deno.test("refusedAddress() says why any other is refused", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["127.0.0.1", /loopback/],
    ["127.255.255.254", /loopback/],
    ["::1", /loopback/],
    ["0.0.0.0", /this host/],
    ["::", /this host/],
    ["10.1.2.3", /private/],
    ["172.31.255.255", /private/],
    ["192.168.1.1", /private/],
    ["fd12::1", /private/],
    ["169.254.1.1", /link-local/],
    ["fe80::1%eth0", /link-local/],
    ["169.254.169.254", /metadata/],
    ["fd00:ec2::254", /metadata/],
    ["100.64.0.1", /carrier/],
    ["224.0.0.1", /multicast/],
    ["ff02::1", /multicast/],
    ["255.255.255.255", /reserved/],
    ["198.18.0.1", /reserved/],
    ["2001:db8::1", /reserved/],
    ["::ffff:127.0.0.1", /loopback/],
    ["::ffff:7f00:1", /loopback/],
    ["::ffff:169.254.169.254", /metadata/],
    ["::127.0.0.1", /loopback/],
    ["64:ff9b::10.0.0.1", /private/],
    ["64:ff9b::a00:1", /private/],
    ["64:ff9b:1::7f00:1", /loopback/],
    ["2002:7f00:1::", /loopback/],
    ["example.com", /no address/],
    ["0x7f.1", /no address/],
  ];
  for (const [address, why] of cases) assert.match(refusedAddress(address) ?? "passes", why, address);
});
