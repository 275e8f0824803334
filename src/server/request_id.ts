const ACCEPTED = /^[A-Za-z0-9._-]{1,128}$/;

/** The client's own id where it is one that can stand in a log line and a header, else a fresh one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id");
  return given !== null && ACCEPTED.test(given) ? given : crypto.randomUUID();
}
