import { type ApiKeyManager, isExpired } from "@alkdev/keypal";

/** How often the keys behind open sockets are looked at: a revoked one is refused within a second on every hub (I10). */
const CHECK_EVERY_MS = 700;

/** Closes sockets whose key has been revoked, here or on another hub. */
export class SocketKeys {
  readonly #keys: Pick<ApiKeyManager, "findById">;
  readonly #revoke: (keyId: string) => void;
  readonly #open: Map<string, number> = new Map();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(keys: Pick<ApiKeyManager, "findById">, revoke: (keyId: string) => void) {
    this.#keys = keys;
    this.#revoke = revoke;
    this.#timer = setInterval(() => void this.#check(), CHECK_EVERY_MS);
  }

  /** Counts a socket until it closes. */
  watch(socket: WebSocket, keyId: string): void {
    this.#open.set(keyId, (this.#open.get(keyId) ?? 0) + 1);
    socket.addEventListener("close", () => {
      const left = (this.#open.get(keyId) ?? 1) - 1;
      if (left === 0) this.#open.delete(keyId);
      else this.#open.set(keyId, left);
    }, { once: true });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    for (const keyId of [...this.#open.keys()]) {
      try {
        const metadata = (await this.#keys.findById(keyId))?.metadata;
        const isValid = metadata !== undefined && !metadata.revokedAt && metadata.enabled !== false &&
          !isExpired(metadata.expiresAt ?? null);
        if (!isValid) this.#revoke(keyId);
      } catch {
        // The database is away: the next check will tell.
      }
    }
  }
}
