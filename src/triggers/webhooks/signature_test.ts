import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { generateSecret, signHeaders, verifySignature } from "./signature.ts";
import type { SignatureScheme } from "./webhook.ts";

const NOW = 1_700_000_000_000;
const bytes = (text: string) => new TextEncoder().encode(text);

function verify(
  headers: Record<string, string>,
  body: string,
  { scheme = "hub", secrets, now = NOW }: { scheme?: SignatureScheme; secrets: readonly string[]; now?: number },
) {
  const request = { headers: new Headers(headers), body: bytes(body) };
  return verifySignature(request, { scheme, secrets, toleranceMs: 300_000, now });
}

Deno.test("verifySignature() agrees with the example of Standard Webhooks", () => {
  const secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];
  const headers = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  };
  assert.equal(verify(headers, `{"test": 2432232314}`, { secrets, now: 1614265330_000 }), headers["webhook-id"]);
});

Deno.test("verifySignature() takes what signHeaders() made, with any of the secrets on either side", () => {
  const [old, fresh, other] = [generateSecret(), generateSecret(), generateSecret()];
  const sign = (secrets: readonly string[]) => signHeaders({ id: "m", at: NOW, body: "{}", secrets });
  assert.equal(verify(sign([fresh]), "{}", { secrets: [old, fresh] }), "m");
  assert.equal(verify(sign([fresh, old]), "{}", { secrets: [old] }), "m");
  assert.equal(verify(sign([other]), "{}", { secrets: [old, fresh] }), null);
  assert.equal(verify(sign([old]), "{}", { secrets: [] }), null);
});

Deno.test("verifySignature() refuses another body, id, time or scheme, and what is outside the window", () => {
  const secret = generateSecret();
  const signed = signHeaders({ id: "m", at: NOW, body: "{}", secrets: [secret] });
  const secrets = [secret];
  assert.equal(verify(signed, "{ }", { secrets }), null);
  assert.equal(verify({ ...signed, "webhook-id": "n" }, "{}", { secrets }), null);
  assert.equal(verify({ ...signed, "webhook-timestamp": String(NOW / 1000 + 1) }, "{}", { secrets }), null);
  assert.equal(verify({ ...signed, "webhook-timestamp": "NaN" }, "{}", { secrets }), null);
  for (const now of [NOW - 300_000, NOW + 300_000]) assert.equal(verify(signed, "{}", { secrets, now }), "m");
  for (const now of [NOW - 300_001, NOW + 300_001]) assert.equal(verify(signed, "{}", { secrets, now }), null);
  for (const scheme of ["github", "stripe", "slack"] as const) {
    assert.equal(verify(signed, "{}", { secrets, scheme }), null);
  }
  for (const name of Object.keys(signed)) {
    const { [name as keyof typeof signed]: _left, ...rest } = signed;
    assert.equal(verify(rest, "{}", { secrets }), null, name);
  }
  assert.equal(verify({ ...signed, "webhook-signature": "v1," }, "{}", { secrets }), null);
});

Deno.test("verifySignature() reads the schemes of GitHub, Stripe and Slack", () => {
  const secrets = ["It's a Secret to Everybody"];
  const hex = (content: string) => createHmac("sha256", secrets[0]!).update(content).digest("hex");
  // GitHub's own example.
  const github = {
    "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    "x-github-delivery": "d",
  };
  assert.equal(verify(github, "Hello, World!", { secrets, scheme: "github" }), "d");
  assert.equal(verify(github, "Hello, World?", { secrets, scheme: "github" }), null);
  const t = String(NOW / 1000);
  const event = `{"id":"evt_1"}`;
  const stripe = { "stripe-signature": `t=${t},v1=${"0".repeat(64)},v1=${hex(`${t}.${event}`)},v0=x` };
  assert.equal(verify(stripe, event, { secrets, scheme: "stripe" }), "evt_1");
  assert.equal(verify(stripe, event, { secrets, scheme: "stripe", now: NOW + 301_000 }), null);
  const slack = { "x-slack-request-timestamp": t, "x-slack-signature": `v0=${hex(`v0:${t}:a=b`)}` };
  assert.match(verify(slack, "a=b", { secrets, scheme: "slack" }) ?? "", /^v0:1700000000:/);
  assert.equal(verify(slack, "a=c", { secrets, scheme: "slack" }), null);
});
