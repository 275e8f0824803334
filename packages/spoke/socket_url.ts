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
