import type { Report } from "./report.ts";
export function benchLists(_report: Report): Promise<void> {
  return Promise.resolve();
}
