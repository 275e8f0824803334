import type { Finding } from "./finding.ts";

const WANTED = [2, 9] as const;

/** The version of Deno. */
export function checkRuntime(): Promise<readonly Finding[]> {
  return Promise.resolve([runtimeFinding(Deno.version.deno)]);
}

/** What a version of Deno means for the hub. */
export function runtimeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNew = major > WANTED[0] || (major === WANTED[0] && minor >= WANTED[1]);
  if (isNew) return { what: "deno", state: "ok", message: version };
  return {
    what: "deno",
    state: "fail",
    message: `${version} is too old: ${WANTED.join(".")} or newer is wanted`,
    mend: "Run `deno upgrade`, or use `npx -y deno@2.9.6`",
  };
}
