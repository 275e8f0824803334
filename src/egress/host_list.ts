/** Hosts as configured: `host` (the scheme's own port) or `host:port`. */
export class HostList {
  readonly #hosts: ReadonlySet<string>;

  constructor(hosts: readonly string[]) {
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()));
  }

  has(url: URL): boolean {
    if (this.#hosts.has(url.host)) return true;
    return url.port === "" && this.#hosts.has(`${url.hostname}:${url.protocol === "https:" ? 443 : 80}`);
  }
}
