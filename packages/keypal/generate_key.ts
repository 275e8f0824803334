const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const URL_SAFE = `${ALPHANUMERIC}_-`;

/** How a plain key looks. */
export interface KeyFormat {
  /** Default none. */
  readonly prefix?: string;
  /** Characters after the prefix; default 32 (190 bits with the default alphabet). */
  readonly length?: number;
  /** 2 to 256 characters; default A-Za-z0-9. */
  readonly alphabet?: string;
}

/** A random key. Every character of the alphabet is equally likely. */
export function generateKey(format: KeyFormat = {}): string {
  const { prefix = "", length = 32, alphabet = ALPHANUMERIC } = format;
  return prefix + randomString(length, alphabet);
}

/** A random record id: 21 URL-safe characters, 126 bits. */
export function generateId(): string {
  return randomString(21, URL_SAFE);
}

function randomString(length: number, alphabet: string): string {
  if (alphabet.length < 2 || alphabet.length > 256) {
    throw new RangeError(`Cannot draw from an alphabet of ${alphabet.length} characters: wanted 2 to 256`);
  }
  // Bytes past the last whole multiple of the alphabet are thrown away: taking them modulo would favour its start.
  const limit = 256 - (256 % alphabet.length);
  let drawn = "";
  while (drawn.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length + 8))) {
      if (byte >= limit || drawn.length === length) continue;
      drawn += alphabet[byte % alphabet.length];
    }
  }
  return drawn;
}
