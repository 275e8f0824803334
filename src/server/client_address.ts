import { BlockList, isIP } from "node:net";

/**
 * Where requests come from. What a proxy says of that (`X-Forwarded-For`, `X-Forwarded-Proto`) counts only where the connection
 * is one of `trustedProxies`: anybody else may say anything.
 */
export class ClientAddresses {
  readonly #trusted: BlockList;
  readonly #hasTrusted: boolean;
  readonly #remotes = new WeakMap<Request, string>();

  /** @param trustedProxies addresses or CIDRs @throws {Error} for one that is neither */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = new BlockList();
    this.#hasTrusted = trustedProxies.length > 0;
    for (const range of trustedProxies) addTo(this.#trusted, range);
  }

  /** Notes who is at the other end of the connection that a request came over. */
  note(request: Request, remote: string): void {
    this.#remotes.set(request, remote);
  }

  /** The client's address: of those that proxies name, the last that is no trusted proxy. Null: not known. */
  of(request: Request): string | null {
    const remote = this.#remotes.get(request);
    if (remote === undefined) return null;
    if (!this.#isTrusted(remote)) return plain(remote);
    const named = (request.headers.get("x-forwarded-for") ?? "").split(",").map((part) => part.trim());
    for (const address of named.reverse()) {
      if (isIP(address) === 0) break;
      if (!this.#isTrusted(address)) return plain(address);
    }
    return plain(remote);
  }

  /** The origin that the client has asked: `https` where a trusted proxy says so. */
  originOf(request: Request): string {
    const url = new URL(request.url);
    const remote = this.#remotes.get(request);
    if (remote === undefined || !this.#isTrusted(remote)) return url.origin;
    const said = request.headers.get("x-forwarded-proto");
    return said === "https" || said === "http" ? `${said}://${url.host}` : url.origin;
  }

  #isTrusted(address: string): boolean {
    if (!this.#hasTrusted) return false;
    const text = plain(address);
    const version = isIP(text);
    return version !== 0 && this.#trusted.check(text, version === 4 ? "ipv4" : "ipv6");
  }
}

/** IPv4 as such, also where it came in through an IPv6 socket. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

function addTo(list: BlockList, range: string): void {
  const [address = "", bits, ...rest] = range.split("/");
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits ?? "0") || prefix > most) {
    throw new Error(`Trusted proxy "${range}" is no address: wanted one such as 10.0.0.7 or 10.0.0.0/8`);
  }
  list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
}
