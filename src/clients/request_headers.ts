import type { ClientAuth } from "./client_config.ts";

/** Headers of a client's requests, and parameters that its URL gets. All of it may be secret. */
export interface RequestSecrets {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

/** @param secrets by name: `auth`, `header:<name>` */
export function requestSecrets(
  config: { readonly headers?: readonly string[]; readonly auth?: ClientAuth },
  secrets: ReadonlyMap<string, string>,
): RequestSecrets {
  const headers: Record<string, string> = {};
  for (const name of config.headers ?? []) headers[name] = secrets.get(`header:${name}`) ?? "";
  const secret = secrets.get("auth") ?? "";
  const { auth } = config;
  switch (auth?.type) {
    case "bearer":
      headers["Authorization"] = `Bearer ${secret}`;
      break;
    case "basic":
      headers["Authorization"] = `Basic ${basic(auth.username, secret)}`;
      break;
    case "header":
      headers[auth.name] = secret;
      break;
    case "apiKey":
      if (auth.in === "query") return { headers, query: { [auth.name]: secret } };
      headers[auth.name] = secret;
  }
  return { headers, query: {} };
}

/** Secrets as they go over the wire, where that is another text than the secret: they are to be masked too. */
export function derivedSecrets(config: { readonly auth?: ClientAuth }, secrets: ReadonlyMap<string, string>): string[] {
  return config.auth?.type === "basic" ? [basic(config.auth.username, secrets.get("auth") ?? "")] : [];
}

function basic(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
