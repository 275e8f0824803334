/**
 * A process of SPOKES spokes (default: one) for the bench: `bench.echo {value} -> {value}`, at once. HUB_URL and HUB_KEY say
 * where.
 */
import { connectSpoke } from "@alkdev/spoke";
import process from "node:process";

for (let n = 0; n < Number(process.env["SPOKES"] ?? 1); n++) {
  connectSpoke({
    url: process.env["HUB_URL"] ?? "",
    key: process.env["HUB_KEY"] ?? "",
    name: `bench-${n}`,
    spokeType: "compute",
    maxConcurrency: 256,
    operations: [{
      namespace: "bench",
      name: "echo",
      inputSchema: { type: "object", properties: { value: { type: "number" } }, required: ["value"] },
      handler: (input) => input,
    }],
  });
}
