import type { Ids } from "../../engine/ports.ts";
import { sha1Prefix16 } from "./sha1.ts";

/** Namespace of request ids (a random UUID, fixed for ever). */
const NAMESPACE = Uint8Array.from(
  "8c2f6d0e5b7a4c39a1d4e0f2b3c4d5e6".match(/../g)!,
  (pair) => parseInt(pair, 16),
);

/** Time-ordered run ids (UUIDv7) and deterministic request ids (UUIDv5). */
export function createIds(): Ids {
  return { runId: uuidV7, requestId: (runId, key, attempt) => uuidV5(`${runId}:${key}:${attempt}`) };
}

let lastMs = 0;
let sequence = 0;
const random = new Uint8Array(1024);
let used = random.length;

/** A UUIDv7; ids made by one process sort in the order they were made. */
export function uuidV7(): string {
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    sequence = 0;
  } else if (++sequence > 0xfff) {
    lastMs++;
    sequence = 0;
  }
  if (used + 8 > random.length) {
    crypto.getRandomValues(random);
    used = 0;
  }
  for (let i = 5, time = lastMs; i >= 0; i--, time = Math.floor(time / 256)) bytes[i] = time % 256;
  bytes[6] = 0x70 | sequence >> 8;
  bytes[7] = sequence & 0xff;
  for (let i = 8; i < 16; i++) bytes[i] = random[used++]!;
  bytes[8] = bytes[8]! & 0x3f | 0x80;
  return format(bytes);
}

const bytes = new Uint8Array(16);

/** A UUIDv5 in the request id namespace. */
export function uuidV5(name: string): string {
  sha1Prefix16(NAMESPACE, name, bytes);
  bytes[6] = bytes[6]! & 0x0f | 0x50;
  bytes[8] = bytes[8]! & 0x3f | 0x80;
  return format(bytes);
}

const DIGITS = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
const HYPHEN = 45;

/** One string, where adding its parts up would make twenty: a run has at least four ids. */
function format(id: Uint8Array): string {
  const high = (i: number) => DIGITS[id[i]! >> 4]!;
  const low = (i: number) => DIGITS[id[i]! & 15]!;
  // deno-fmt-ignore
  return String.fromCharCode(
    high(0), low(0), high(1), low(1), high(2), low(2), high(3), low(3), HYPHEN,
    high(4), low(4), high(5), low(5), HYPHEN, high(6), low(6), high(7), low(7), HYPHEN,
    high(8), low(8), high(9), low(9), HYPHEN,
    high(10), low(10), high(11), low(11), high(12), low(12), high(13), low(13), high(14), low(14), high(15), low(15),
  );
}
