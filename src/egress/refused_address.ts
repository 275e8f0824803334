import { BlockList, isIPv4, isIPv6 } from "node:net";

/** What an address is for, where it is not a host of the public internet. IANA's special-purpose registries. */
const RANGES: readonly (readonly [why: string, ranges: readonly string[]])[] = [
  ["a metadata service", [
    "169.254.169.254/32",
    "169.254.170.2/32",
    "100.100.100.200/32",
    "192.0.0.192/32",
    "168.63.129.16/32",
    "fd00:ec2::254/128",
  ]],
  ["this host", ["0.0.0.0/8", "::/128"]],
  ["loopback", ["127.0.0.0/8", "::1/128"]],
  ["private", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"]],
  ["link-local", ["169.254.0.0/16", "fe80::/10"]],
  ["shared (carrier-grade NAT)", ["100.64.0.0/10"]],
  ["multicast", ["224.0.0.0/4", "ff00::/8"]],
  ["reserved", [
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
  ]],
];

const LISTS = RANGES.map(([why, ranges]) => {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = "", bits] = range.split("/");
    list.addSubnet(net, Number(bits), net.includes(":") ? "ipv6" : "ipv4");
  }
  return { why, list };
});

/** IPv6 prefixes that carry an IPv4 address, and the 16-bit group it starts at. */
const CARRIERS: readonly (readonly [groups: readonly number[], at: number])[] = [
  [[0, 0, 0, 0, 0, 0xffff], 6], // mapped
  [[0, 0, 0, 0, 0xffff, 0], 6], // translated
  [[0, 0, 0, 0, 0, 0], 6], // compatible
  [[0x64, 0xff9b, 0, 0, 0, 0], 6], // NAT64
  [[0x64, 0xff9b, 1], 6], // local NAT64
  [[0x2002], 1], // 6to4
];

/** Why an address must not be connected to; null: it is one of the public internet. What is no address is refused. */
export function refusedAddress(address: string): string | null {
  if (isIPv4(address)) return refusal(address, "ipv4");
  const bare = address.split("%")[0] ?? "";
  if (!isIPv6(bare)) return "no address";
  const why = refusal(bare, "ipv6");
  if (why !== null) return why;
  const groups = groupsOf(bare);
  for (const [prefix, at] of CARRIERS) {
    if (!prefix.every((group, index) => groups[index] === group)) continue;
    const high = groups[at] ?? 0;
    const low = groups[at + 1] ?? 0;
    const carried = `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
    const inner = refusal(carried, "ipv4");
    if (inner !== null) return `${inner} (${carried})`;
  }
  return null;
}

function refusal(address: string, family: "ipv4" | "ipv6"): string | null {
  return LISTS.find(({ list }) => list.check(address, family))?.why ?? null;
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string | undefined, low: string | undefined) => (Number(high) * 256 + Number(low)).toString(16);
  const plain = dotted === null ? address : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [head = "", tail] = plain.split("::");
  const read = (part: string) => part === "" ? [] : part.split(":").map((group) => parseInt(group, 16));
  const [before, after] = [read(head), read(tail ?? "")];
  return [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after];
}
