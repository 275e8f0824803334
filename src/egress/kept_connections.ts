import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";

const MAX_ADDRESSES = 256;
const OPTIONS = { keepAlive: true, keepAliveMsecs: 10_000, maxFreeSockets: 256, scheduling: "lifo" } as const;

/** Open connections by the address they were made to: which address a name has is looked up and checked for each request. */
export class KeptConnections {
  readonly #agents = new Map<string, HttpAgent>();

  of(protocol: string, address: string): HttpAgent {
    const key = `${protocol}${address}`;
    let agent = this.#agents.get(key);
    if (agent !== undefined) return agent;
    agent = protocol === "https:" ? new HttpsAgent(OPTIONS) : new HttpAgent(OPTIONS);
    this.#agents.set(key, agent);
    const [oldest] = this.#agents.keys();
    if (this.#agents.size > MAX_ADDRESSES && oldest !== undefined) this.#end(oldest);
    return agent;
  }

  close(): void {
    for (const key of [...this.#agents.keys()]) this.#end(key);
  }

  #end(key: string): void {
    this.#agents.get(key)?.destroy();
    this.#agents.delete(key);
  }
}
