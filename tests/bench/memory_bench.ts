import type { Report } from "./report.ts";
export function benchMemory(_report: Report): Promise<void> {
  return Promise.resolve();
}
