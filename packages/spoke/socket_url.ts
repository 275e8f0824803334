/** The socket's address, from that of the hub or its own. @throws {TypeError} for anything else */
export function toSocketUrl(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : null;
  const protocol = url === null
    ? undefined
    : { "http:": "ws:", "https:": "wss:", "ws:": "ws:", "wss:": "wss:" }[url.protocol];
  if (url === null || protocol === undefined) {
    throw new TypeError(`Cannot connect to "${address}": wanted an http, https, ws or wss URL`);
  }
  // Schemes cannot be changed from http to ws on a URL object.
  const path = url.pathname === "/" ? "/ws" : url.pathname;
  return `${protocol}//${url.host}${path}${url.search}`;
}

/** @throws {TypeError} when there is none, or one is wrong */
export function toSocketUrls(addresses: string | readonly string[]): readonly string[] {
  const urls = (typeof addresses === "string" ? [addresses] : addresses).map(toSocketUrl);
  if (urls.length === 0) throw new TypeError("Cannot connect without the URL of a hub: wanted at least one");
  return urls;
}
