import { HttpError } from "./http_error.ts";

/** 401. Says whether a key was missing or wrong, and of a wrong one not why: that would help who guesses. `metadataUrl`: where it is said whose tokens are taken (RFC 9728). */
export function unauthenticated(keyWasGiven: boolean, metadataUrl: string | null = null): HttpError {
  const [message, challenge] = keyWasGiven
    ? ["The API key is not valid", `Bearer realm="hub", error="invalid_token"`]
    : ["No API key was given: wanted Authorization: Bearer <key>", `Bearer realm="hub"`];
  return new HttpError("UNAUTHENTICATED", message, {
    headers: {
      "www-authenticate": metadataUrl === null ? challenge : `${challenge}, resource_metadata="${metadataUrl}"`,
    },
  });
}
