/**
 * SHA-1 of short messages, for UUIDv5 only (not for security): the runtime's own hash costs three times as much in call
 * overhead as the rounds do. Checked against node:crypto in its test.
 */

const words = new Int32Array(80);
let block = new Uint8Array(128);
const state = new Int32Array(5);

/** The first 16 bytes of SHA-1 over `prefix` and the UTF-8 of `text`, written into `out`. */
export function sha1Prefix16(prefix: Uint8Array, text: string, out: Uint8Array): void {
  const length = fill(prefix, text);
  const padded = ((length + 8 >> 6) + 1) << 6;
  block[length] = 0x80;
  block.fill(0, length + 1, padded);
  const bits = length * 8;
  block[padded - 4] = bits >>> 24;
  block[padded - 3] = bits >>> 16;
  block[padded - 2] = bits >>> 8;
  block[padded - 1] = bits;
  state[0] = 0x67452301;
  state[1] = 0xefcdab89 | 0;
  state[2] = 0x98badcfe | 0;
  state[3] = 0x10325476;
  state[4] = 0xc3d2e1f0 | 0;
  for (let at = 0; at < padded; at += 64) digestBlock(at);
  for (let i = 0; i < 16; i++) out[i] = state[i >> 2]! >>> (24 - ((i & 3) << 3));
}

const encoder = new TextEncoder();

/** Puts the message into `block`, which has room for padding; gives its length. */
function fill(prefix: Uint8Array, text: string): number {
  const most = prefix.length + text.length * 3 + 72;
  if (block.length < most) block = new Uint8Array(most * 2);
  block.set(prefix);
  let at = prefix.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return prefix.length + encoder.encodeInto(text, block.subarray(prefix.length)).written;
    block[at++] = code;
  }
  return at;
}

function digestBlock(at: number): void {
  for (let i = 0; i < 16; i++, at += 4) {
    words[i] = block[at]! << 24 | block[at + 1]! << 16 | block[at + 2]! << 8 | block[at + 3]!;
  }
  for (let i = 16; i < 80; i++) {
    const mixed = words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!;
    words[i] = mixed << 1 | mixed >>> 31;
  }
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!, e = state[4]!;
  // Four loops, not one with a choice in it: a sixth faster.
  for (let i = 0; i < 20; i++) {
    const next = (a << 5 | a >>> 27) + (d ^ b & (c ^ d)) + 0x5a827999 + e + words[i]! | 0;
    e = d;
    d = c;
    c = b << 30 | b >>> 2;
    b = a;
    a = next;
  }
  for (let i = 20; i < 40; i++) {
    const next = (a << 5 | a >>> 27) + (b ^ c ^ d) + 0x6ed9eba1 + e + words[i]! | 0;
    e = d;
    d = c;
    c = b << 30 | b >>> 2;
    b = a;
    a = next;
  }
  for (let i = 40; i < 60; i++) {
    const next = (a << 5 | a >>> 27) + (b & c | d & (b | c)) + 0x8f1bbcdc + e + words[i]! | 0;
    e = d;
    d = c;
    c = b << 30 | b >>> 2;
    b = a;
    a = next;
  }
  for (let i = 60; i < 80; i++) {
    const next = (a << 5 | a >>> 27) + (b ^ c ^ d) + 0xca62c1d6 + e + words[i]! | 0;
    e = d;
    d = c;
    c = b << 30 | b >>> 2;
    b = a;
    a = next;
  }
  state[0] = state[0]! + a | 0;
  state[1] = state[1]! + b | 0;
  state[2] = state[2]! + c | 0;
  state[3] = state[3]! + d | 0;
  state[4] = state[4]! + e | 0;
}
