import { CallError } from "@alkdev/operations";

/** Where a page ended: keyset on (created_at, id), newest first. `createdAt` is ms since the epoch. */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
}

/** An opaque text that {@linkcode decodeCursor} reads. */
export function encodeCursor({ createdAt, id }: Position): string {
  return btoa(`${createdAt} ${id}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @throws CallError VALIDATION_ERROR when `cursor` was not made by {@linkcode encodeCursor} */
export function decodeCursor(cursor: string): Position {
  const match = /^(\d{1,16}) (\S+)$/.exec(decoded(cursor));
  if (match === null) {
    const message = `Cannot read cursor "${cursor}": expected the nextCursor of an earlier page`;
    throw new CallError("VALIDATION_ERROR", message, { errors: [{ path: "/cursor", message }] });
  }
  return { createdAt: Number(match[1]), id: match[2] ?? "" };
}

function decoded(cursor: string): string {
  try {
    return atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}
