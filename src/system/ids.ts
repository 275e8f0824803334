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
  let tail = "";
  for (let i = 0; i < 8; i++) tail += HEX[i === 0 ? (random[used++]! & 0x3f) | 0x80 : random[used++]!]!;
  const time = lastMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, "0")}-${tail.slice(0, 4)}-${
    tail.slice(4)
  }`;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

const digest = new Uint8Array(16);

/** A UUIDv5 in the request id namespace. */
export function uuidV5(name: string): string {
  sha1Prefix16(NAMESPACE, name, digest);
  digest[6] = (digest[6]! & 0x0f) | 0x50;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  let text = "";
  for (let i = 0; i < 16; i++) {
    text += i === 4 || i === 6 || i === 8 || i === 10 ? "-" + HEX[digest[i]!]! : HEX[digest[i]!]!;
  }
  return text;
}
