import { HttpError } from "./http_error.ts";

/** 401. Says whether a key was missing or wrong, and of a wrong one not why: that would help who guesses. */
export function unauthenticated(keyWasGiven: boolean): HttpError {
  const [message, challenge] = keyWasGiven
    ? ["The API key is not valid", `Bearer realm="hub", error="invalid_token"`]
    : ["No API key was given: wanted Authorization: Bearer <key>", `Bearer realm="hub"`];
  return new HttpError("UNAUTHENTICATED", message, { headers: { "www-authenticate": challenge } });
}
