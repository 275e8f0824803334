const HEAD_END = new TextEncoder().encode("\r\n\r\n");
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * One keep-alive HTTP/1.1 connection that sends bytes made beforehand: the load generator shares its cores with the server,
 * and `fetch` costs as much as the server does. Understands `content-length` only.
 */
export class HttpConnection {
  readonly #connection: Deno.TcpConn;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(64 * 1024);
  #length = 0;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async open(url: string): Promise<HttpConnection> {
    const { hostname, port } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    connection.setNoDelay(true);
    return new HttpConnection(connection);
  }

  async send(request: Uint8Array): Promise<HttpAnswer> {
    for (let sent = 0; sent < request.length;) sent += await this.#connection.write(request.subarray(sent));
    let head = this.#find();
    while (head < 0) {
      await this.#read();
      head = this.#find();
    }
    const lines = decoder.decode(this.#buffer.subarray(0, head));
    const size = /\r\ncontent-length: *(\d+)/i.exec(lines)?.[1];
    if (size === undefined) throw new Error(`The answer has no content-length: ${lines.slice(0, 200)}`);
    const end = head + HEAD_END.length + Number(size);
    while (this.#length < end) await this.#read();
    const body = decoder.decode(this.#buffer.subarray(head + HEAD_END.length, end));
    this.#buffer.copyWithin(0, end, this.#length);
    this.#length -= end;
    return { status: Number(lines.slice(9, 12)), body };
  }

  close(): void {
    this.#connection.close();
  }

  async #read(): Promise<void> {
    if (this.#length === this.#buffer.length) {
      const larger = new Uint8Array(4 * this.#buffer.length);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    const read = await this.#connection.read(this.#buffer.subarray(this.#length));
    if (read === null) throw new Error("The server closed the connection");
    this.#length += read;
  }

  #find(): number {
    for (let i = 0; i + HEAD_END.length <= this.#length; i++) {
      if (HEAD_END.every((byte, at) => this.#buffer[i + at] === byte)) return i;
    }
    return -1;
  }
}

/** Bytes of a request with the given key and JSON body. */
export function requestBytes(params: {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly key: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}): Uint8Array {
  const body = params.body === undefined ? "" : JSON.stringify(params.body);
  const headers = {
    host: new URL(params.url).host,
    authorization: `Bearer ${params.key}`,
    ...(body === "" ? {} : { "content-type": "application/json" }),
    "content-length": String(encoder.encode(body).length),
    ...params.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return encoder.encode(`${params.method} ${params.path} HTTP/1.1\r\n${lines}\r\n${body}`);
}

/** A few connections, each used by one request at a time. */
export class HttpPool {
  readonly #url: string;
  readonly #idle: HttpConnection[] = [];
  readonly #all: HttpConnection[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  async send(request: Uint8Array): Promise<HttpAnswer> {
    let connection = this.#idle.pop();
    if (connection === undefined) {
      connection = await HttpConnection.open(this.#url);
      this.#all.push(connection);
    }
    const answer = await connection.send(request);
    this.#idle.push(connection);
    return answer;
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }
}
