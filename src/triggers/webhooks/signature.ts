import { Buffer } from "node:buffer";
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { SignatureScheme } from "./webhook.ts";

/** A request as its signature is checked: the body is the bytes that were sent. */
export interface SignedRequest {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** What a request says of itself. Nothing of it is to be believed before a secret has signed it. */
interface Claim {
  /** The same for the same delivery sent again. */
  readonly deliveryId: string;
  /** Ms since the epoch; null: the scheme does not say. */
  readonly signedAt: number | null;
  /** The bytes that were signed. */
  readonly content: Buffer;
  readonly signatures: readonly Buffer[];
}

/** Longest id that a sender may give a delivery. */
const MAX_ID = 256;
/** More signatures in one header than anybody rotates at once. */
const MAX_SIGNATURES = 8;

/**
 * The delivery's id where one of the secrets has signed the request and, where the scheme says when, that was within the
 * tolerance of now; else null. Compares in constant time, and every secret.
 */
export function verifySignature(
  request: SignedRequest,
  { scheme, secrets, toleranceMs, now }: {
    readonly scheme: SignatureScheme;
    readonly secrets: readonly string[];
    readonly toleranceMs: number;
    readonly now: number;
  },
): string | null {
  const claim = READERS[scheme](request);
  // A request that claims nothing costs as much as one that does.
  const { content, signatures } = claim ?? { content: Buffer.from(request.body), signatures: [] };
  let isSigned = false;
  for (const secret of secrets) {
    const expected = createHmac("sha256", keyOf(secret, scheme)).update(content).digest();
    for (const signature of signatures) {
      if (signature.length === expected.length && timingSafeEqual(signature, expected)) isSigned = true;
    }
  }
  if (claim === null || !isSigned) return null;
  if (claim.signedAt !== null && !(Math.abs(now - claim.signedAt) <= toleranceMs)) return null;
  return claim.deliveryId;
}

/** Headers that sign a message by Standard Webhooks, by each secret. `at` is ms since the epoch. */
export function signHeaders(
  { id, at, body, secrets }: {
    readonly id: string;
    readonly at: number;
    readonly body: string;
    readonly secrets: readonly string[];
  },
): Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string> {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map((secret) =>
    `v1,${createHmac("sha256", keyOf(secret, "hub")).update(`${id}.${timestamp}.${body}`).digest("base64")}`
  );
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

/** A fresh secret of 32 random bytes, in the form of Standard Webhooks. */
export function generateSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** Secrets of Standard Webhooks are base64 after their prefix; others are signed with as they are written. */
function keyOf(secret: string, scheme: SignatureScheme): Buffer {
  return scheme === "hub" && secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
}

const READERS: Readonly<Record<SignatureScheme, (request: SignedRequest) => Claim | null>> = {
  hub({ headers, body }) {
    const id = headers.get("webhook-id") ?? "";
    const timestamp = headers.get("webhook-timestamp") ?? "";
    const signatures = (headers.get("webhook-signature") ?? "").split(" ").filter((part) => part.startsWith("v1,"));
    if (id === "" || id.length > MAX_ID || !isSeconds(timestamp)) return null;
    return {
      deliveryId: id,
      signedAt: Number(timestamp) * 1000,
      content: Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]),
      signatures: read(signatures.map((part) => part.slice(3)), "base64"),
    };
  },
  github({ headers, body }) {
    const id = headers.get("x-github-delivery") ?? "";
    const [, hex] = /^sha256=([0-9a-f]{64})$/.exec(headers.get("x-hub-signature-256") ?? "") ?? [];
    if (id === "" || id.length > MAX_ID || hex === undefined) return null;
    return { deliveryId: id, signedAt: null, content: Buffer.from(body), signatures: read([hex], "hex") };
  },
  stripe({ headers, body }) {
    const parts = (headers.get("stripe-signature") ?? "").split(",").map((part) => part.trim().split("="));
    const timestamp = parts.find(([name]) => name === "t")?.[1] ?? "";
    if (!isSeconds(timestamp)) return null;
    return {
      deliveryId: stripeId(body),
      signedAt: Number(timestamp) * 1000,
      content: Buffer.concat([Buffer.from(`${timestamp}.`), body]),
      signatures: read(parts.flatMap(([name, value]) => name === "v1" && value !== undefined ? [value] : []), "hex"),
    };
  },
  slack({ headers, body }) {
    const timestamp = headers.get("x-slack-request-timestamp") ?? "";
    const [, hex] = /^v0=([0-9a-f]{64})$/.exec(headers.get("x-slack-signature") ?? "") ?? [];
    if (!isSeconds(timestamp) || hex === undefined) return null;
    return {
      deliveryId: `v0:${timestamp}:${digest(body)}`,
      signedAt: Number(timestamp) * 1000,
      content: Buffer.concat([Buffer.from(`v0:${timestamp}:`), body]),
      signatures: read([hex], "hex"),
    };
  },
};

/** Stripe names an event in its body; the same event sent again is signed anew. */
function stripeId(body: Uint8Array): string {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    if (typeof value === "object" && value !== null && "id" in value && typeof value.id === "string") {
      if (value.id !== "" && value.id.length <= MAX_ID) return value.id;
    }
  } catch { /* No event: named by its content. */ }
  return digest(body);
}

function digest(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}

function read(texts: readonly string[], encoding: "hex" | "base64"): readonly Buffer[] {
  return texts.slice(0, MAX_SIGNATURES).map((text) => Buffer.from(text, encoding));
}

function isSeconds(text: string): boolean {
  return /^\d{1,12}$/.test(text);
}
