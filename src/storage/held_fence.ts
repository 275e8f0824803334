/**
 * The fence of a hub, held by the session that its lone rows are written in: 17 µs less of the server's CPU a commit than
 * to take it for each (docs/decisions/0034-cheaper-commits.md).
 *
 * - H1 A row is written only by a session that holds the fence, for the epoch of this lease: the statement looks for a token
 *   that `hold_fence_v1` sets in the session that it locks, and that goes with it.
 * - H2 Who finds no token has written nothing, and goes by the function that takes the fence for one commit.
 */
import type { Connection, Value } from "./database.ts";

const HOLD = { name: "hold_fence_v1", text: "select hold_fence_v1($1, $2, $3) as answer" };
const ROW = {
  name: "held_row",
  text: `insert into run_events (run_id, request_id, at, seq, type, node_key, body)
    select $2::uuid, $3::uuid, to_timestamp($4::float8 / 1000), $5::integer, $6, $7, $8
    where current_setting('hub.fence', true) = $1 returning ''`,
};
/** So often in a row the token was not found where it had just been set: sessions are handed out anew for each statement. */
const MOST_MISSES = 5;

export class HeldFence {
  readonly #connection: Connection;
  readonly #lease: { readonly hubId: string; readonly epoch: number };
  /** Null: this session, as far as is known, does not hold the fence. */
  #token: string | null = null;
  #misses = 0;

  constructor(connection: Connection, lease: { readonly hubId: string; readonly epoch: number }) {
    this.#connection = connection;
    this.#lease = lease;
  }

  /** Writes a row of `run_events`, its values as for `commit_row_v1`. False: nothing was written (H2). */
  async write(values: readonly Value[]): Promise<boolean> {
    if (this.#misses >= MOST_MISSES) return false;
    const token = this.#token ?? await this.#hold();
    if (token === null) return false;
    if (await this.#connection.call({ ...ROW, values: [token, ...values] }) !== null) {
      this.#misses = 0;
      return true;
    }
    this.#token = null;
    this.#misses++;
    return false;
  }

  /** Null: fenced, as the function will say. */
  async #hold(): Promise<string | null> {
    const { hubId, epoch } = this.#lease;
    const token = crypto.randomUUID();
    if (await this.#connection.call({ ...HOLD, values: [hubId, String(epoch), token] }) === null) return null;
    return this.#token = token;
  }
}
