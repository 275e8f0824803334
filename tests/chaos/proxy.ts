/** A way to a port of this machine that can be cut. */
export class CutProxy implements AsyncDisposable {
  readonly port: number;
  readonly #target: () => number;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();

  /** `target`: the port that connections made from now on go to. */
  constructor(target: () => number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    void this.#serve();
  }

  /** Closes all connections; gives their number. New ones are taken. */
  cut(): number {
    const open = [...this.#open];
    this.#open.clear();
    for (const connection of open) close(connection);
    return open.length / 2;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    return Promise.resolve();
  }

  async #serve(): Promise<void> {
    try {
      for await (const near of this.#listener) void this.#connect(near);
    } catch {
      // Closed.
    }
  }

  async #connect(near: Deno.TcpConn): Promise<void> {
    let far: Deno.TcpConn;
    try {
      far = await Deno.connect({ hostname: "127.0.0.1", port: this.#target() });
    } catch {
      return close(near);
    }
    for (const connection of [near, far]) {
      connection.setNoDelay(true);
      this.#open.add(connection);
    }
    const end = (): void => {
      for (const connection of [near, far]) {
        this.#open.delete(connection);
        close(connection);
      }
    };
    near.readable.pipeTo(far.writable).then(end, end);
    far.readable.pipeTo(near.writable).then(end, end);
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It was closed already.
  }
}
