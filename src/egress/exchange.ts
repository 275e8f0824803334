import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as requestHttp,
  type RequestOptions,
} from "node:http";
import { request as requestHttps } from "node:https";
import { isIPv6, type LookupFunction } from "node:net";
import type { RequestBody } from "./request_body.ts";

/** One request to one address. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: RequestBody | null;
  /** Checked addresses of the URL's host, in the order in which they are tried. */
  readonly addresses: readonly string[];
  readonly signal: AbortSignal;
  /** Connections that are kept for an address; absent: each request has its own. */
  readonly connections?: (address: string) => Agent;
}

/**
 * Sends the request to the first address that takes a connection. The connection is made to that address and to none that a
 * second look at the name would give; TLS still checks the certificate against the name.
 *
 * @throws what the connection failed with, or the signal's reason
 */
export async function exchange(hop: Hop): Promise<IncomingMessage> {
  let failure: unknown = new Error(`Host "${hop.url.hostname}" has no address`);
  for (const address of hop.addresses) {
    hop.signal.throwIfAborted();
    try {
      return await sendTo(address, hop, hop.connections?.(address) ?? false);
    } catch (error) {
      if (!(error instanceof NotConnected)) throw error;
      failure = error.cause;
    }
  }
  throw failure;
}

/** Nothing has been sent: another address may be tried. */
class NotConnected extends Error {}

function sendTo(
  address: string,
  { url, method, headers, body, signal }: Hop,
  agent: Agent | false,
): Promise<IncomingMessage> {
  const lookup: LookupFunction = (_host, options, callback) => {
    const family = isIPv6(address) ? 6 : 4;
    if (options.all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
  const options: RequestOptions = {
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    method,
    headers: { ...Object.fromEntries(headers), host: url.host, ...lengthOf(body) },
    agent,
    lookup,
  };
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? requestHttps(options) : requestHttp(options);
    let connected = false;
    const onAbort = () => {
      reject(signal.reason);
      request.destroy();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    request.once("socket", (socket) => {
      const begin = () => {
        connected = true;
        send(request, body).catch((error) => request.destroy(error));
      };
      if (!socket.connecting) begin();
      else socket.once("connect", begin);
    });
    request.once("response", (response) => {
      signal.removeEventListener("abort", onAbort);
      resolve(response);
    });
    request.on("error", (error) => {
      signal.removeEventListener("abort", onAbort);
      reject(connected ? error : new NotConnected("", { cause: error }));
    });
  });
}

function lengthOf(body: RequestBody | null): Record<string, string> {
  return body === null || body.rest !== null ? {} : { "content-length": String(body.head.byteLength) };
}

async function send(request: ClientRequest, body: RequestBody | null): Promise<void> {
  if (body === null) return void request.end();
  // In one piece: what was sent on a kept connection that turns out to be closed is then sent again on a new one.
  if (body.rest === null) return void request.end(body.head);
  await write(request, body.head);
  for (let done = body.rest === null; !done;) {
    const step = await body.rest!.read();
    done = step.done;
    if (step.value !== undefined) await write(request, step.value);
  }
  request.end();
}

function write(request: ClientRequest, chunk: Uint8Array): Promise<void> {
  if (chunk.byteLength === 0) return Promise.resolve();
  return new Promise((resolve, reject) => request.write(chunk, (error) => error ? reject(error) : resolve()));
}
