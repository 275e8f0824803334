import { MemoryStorage } from "./memory_storage.ts";
import { AUDIT_CHECKS, STORAGE_CHECKS } from "./storage_conformance.ts";

for (const { name, run } of [...STORAGE_CHECKS, ...AUDIT_CHECKS]) {
  Deno.test(`MemoryStorage: ${name}`, () => run(new MemoryStorage()));
}
