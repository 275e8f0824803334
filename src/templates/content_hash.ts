import { createHash } from "node:crypto";

/** SHA-256 of a text as 64 lower-case hexadecimal digits. */
export function contentHash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Digits of a version: 128 bits name a workflow's content without a chance of collision, and still fit a table. */
export const VERSION_LENGTH = 32;
