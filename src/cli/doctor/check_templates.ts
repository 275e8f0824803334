import { fileURLToPath } from "node:url";
import { denoFiles, loadConfig } from "../../config/mod.ts";
import { createMemoryWorkflowStore, createTemplates } from "../../templates/mod.ts";
import type { Finding, Subject } from "./finding.ts";

/** The template files: how many are served, and what is wrong with the others. */
export async function checkTemplates({ env }: Subject): Promise<readonly Finding[]> {
  const config = await loadConfig({ env, files: denoFiles }).catch(() => null);
  const templates = createTemplates({
    directories: [fileURLToPath(new URL("../../../workflows", import.meta.url)), ...config?.workflows ?? []],
    store: createMemoryWorkflowStore(),
    operations: { spec: () => undefined, list: () => [] },
    watch: false,
    log: () => {},
  });
  await templates.load();
  const served = await templates.list({ orgId: "default" });
  await templates.close();
  return [
    {
      what: "workflows",
      state: "ok",
      message: `${served.length} served: ${served.map(({ name }) => name).join(", ")}`,
    },
    ...templates.problems().map(({ path, message, suggestion }): Finding => ({
      what: "workflows",
      state: "warn",
      message: `${path}: ${message}`,
      ...(suggestion !== undefined && { mend: suggestion }),
    })),
  ];
}
