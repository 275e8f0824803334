import { createHash } from "node:crypto";

/** SHA-256 in hex: what is kept of a resume token. Tokens are random, so that they need no salt. */
export function hashResumeToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
