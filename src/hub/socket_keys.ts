import { type ApiKeyManager, isExpired } from "@alkdev/keypal";
import { isTokenValid } from "../auth/mod.ts";

/** How often the keys behind open sockets are looked at: a revoked one is refused within a second on every hub (I10). */
const CHECK_EVERY_MS = 700;

/** Closes sockets and ends streams whose key has been revoked, here or on another hub. */
export class SocketKeys {
  readonly #keys: Pick<ApiKeyManager, "findById">;
  readonly #revoke: (keyId: string) => void;
  readonly #open: Map<string, Set<() => void>> = new Map();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(keys: Pick<ApiKeyManager, "findById">, revoke: (keyId: string) => void) {
    this.#keys = keys;
    this.#revoke = revoke;
    this.#timer = setInterval(() => void this.#check(), CHECK_EVERY_MS);
  }

  /** Looks after a socket until it closes. */
  watch(socket: WebSocket, keyId: string): void {
    socket.addEventListener("close", this.watchKey(keyId, () => {}), { once: true });
  }

  /** Calls `onRevoked` when the key stops to be valid; the answer takes the watch back. */
  watchKey(keyId: string, onRevoked: () => void): () => void {
    const watchers = this.#open.get(keyId) ?? new Set();
    const watcher = (): void => onRevoked();
    watchers.add(watcher);
    this.#open.set(keyId, watchers);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#open.get(keyId) === watchers) this.#open.delete(keyId);
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    for (const keyId of [...this.#open.keys()]) {
      try {
        const ofToken = isTokenValid(keyId, Date.now());
        const metadata = ofToken === null ? (await this.#keys.findById(keyId))?.metadata : undefined;
        const isValid = ofToken ?? (metadata !== undefined && !metadata.revokedAt && metadata.enabled !== false &&
          !isExpired(metadata.expiresAt ?? null));
        if (isValid) continue;
        this.#revoke(keyId);
        for (const watcher of [...this.#open.get(keyId) ?? []]) watcher();
      } catch {
        // The database is away: the next check will tell.
      }
    }
  }
}
