import { createHash } from "node:crypto";

/** A weak tag of a text: the same text has the same one, whatever its encoding on the wire. */
export function entityTag(text: string): string {
  return `W/"${createHash("sha1").update(text).digest("base64url")}"`;
}

/** Whether `If-None-Match` names the tag, compared weakly (RFC 9110, 13.1.2). */
export function isUnchanged(headers: Headers, tag: string): boolean {
  const given = headers.get("if-none-match");
  if (given === null) return false;
  const opaque = tag.replace(/^W\//, "");
  return given.split(",").some((one) => {
    const name = one.trim();
    return name === "*" || name.replace(/^W\//, "") === opaque;
  });
}
