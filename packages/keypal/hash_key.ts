import { createHash, timingSafeEqual } from "node:crypto";

/** Digest used for stored hashes. */
export type HashAlgorithm = "sha256" | "sha512";

/** Hashes keys with one algorithm and one salt. A key has 190 bits of its own, so a slow hash would add nothing. */
export class KeyHasher {
  readonly #algorithm: HashAlgorithm;
  readonly #saltHash: string;

  constructor(algorithm: HashAlgorithm = "sha256", salt = "") {
    this.#algorithm = algorithm;
    this.#saltHash = salt === "" ? "" : createHash(algorithm).update(salt).digest("hex");
  }

  /** Lower-case hex of `algorithm(key + hex(algorithm(salt)))`. */
  hash(key: string): string {
    return createHash(this.#algorithm).update(key + this.#saltHash).digest("hex");
  }

  /** Whether `key` hashes to `hash`, in time that does not depend on where they differ. */
  matches(key: string, hash: string): boolean {
    const actual = new TextEncoder().encode(this.hash(key));
    const wanted = new TextEncoder().encode(hash);
    return actual.length === wanted.length && timingSafeEqual(actual, wanted);
  }
}
