const WAIT = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:[,;]|$)/i;

/** Ms to wait, from `Prefer: wait=<seconds>` (RFC 7240), at most `maxSeconds`; 0 without one. */
export function readWaitMs(headers: Headers, maxSeconds: number): number {
  const prefer = headers.get("prefer");
  if (prefer === null) return 0;
  const seconds = WAIT.exec(prefer)?.[1];
  return seconds === undefined ? 0 : Math.min(Number(seconds), maxSeconds) * 1000;
}
