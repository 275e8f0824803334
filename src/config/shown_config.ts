import type { HubConfig } from "./hub_config.ts";

/** What stands for a secret. */
const HIDDEN = "***";

/**
 * Settings as they may be shown: without passwords, keys, and what the config file has sealed.
 *
 * @param sealed where the config file has sealed values
 */
export function shownConfig(
  config: HubConfig,
  sealed: readonly (readonly (string | number)[])[] = [],
): Readonly<Record<string, unknown>> {
  const { warnings: _, ...rest } = config;
  const shown: Record<string, unknown> = structuredClone({
    ...rest,
    databaseUrl: hidePassword(config.databaseUrl),
    redisUrl: hidePassword(config.redisUrl),
    encryptionKeys: config.encryptionKeys === null ? null : HIDDEN,
  });
  for (const path of sealed) hide(shown, path);
  return shown;
}

/** Null stays null. What cannot be read as a URL is hidden whole, and so are parameters: they may hold a password too. */
function hidePassword(text: string | null): string | null {
  if (text === null) return null;
  const url = URL.parse(text);
  if (url === null) return HIDDEN;
  if (url.password !== "") url.password = HIDDEN;
  if (url.search !== "") url.search = HIDDEN;
  return url.href;
}

function hide(value: unknown, [first, ...rest]: readonly (string | number)[]): void {
  if (first === undefined || typeof value !== "object" || value === null || !Object.hasOwn(value, first)) return;
  if (rest.length === 0) Reflect.set(value, first, HIDDEN);
  else hide(Reflect.get(value, first), rest);
}
