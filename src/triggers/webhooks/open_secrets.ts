import type { KeyRing } from "../../crypto/mod.ts";
import type { StoredSecret } from "./webhook.ts";

/** Opening a seal derives a key, which is slow on purpose: too slow for whoever sends rubbish to a known address. */
const MAX_OPEN = 1_000;

/** Opens secrets, and remembers the last ones opened. */
export class SecretOpener {
  readonly #keyRing: Pick<KeyRing, "decrypt">;
  readonly #open = new Map<string, Promise<string>>();

  constructor(keyRing: Pick<KeyRing, "decrypt">) {
    this.#keyRing = keyRing;
  }

  /** Those that are good at `now`, in their order, in plain text. */
  open(secrets: readonly StoredSecret[], now: number): Promise<readonly string[]> {
    const good = secrets.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
    return Promise.all(good.map((secret) => this.#openOne(secret)));
  }

  #openOne({ sealed }: StoredSecret): Promise<string> {
    const known = this.#open.get(sealed.data);
    if (known !== undefined) return known;
    const opened = this.#keyRing.decrypt(sealed);
    this.#open.set(sealed.data, opened);
    opened.catch(() => this.#open.delete(sealed.data));
    const oldest = this.#open.keys().next();
    if (this.#open.size > MAX_OPEN && oldest.done !== true) this.#open.delete(oldest.value);
    return opened;
  }
}
