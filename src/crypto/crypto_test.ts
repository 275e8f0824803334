import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { decrypt, DecryptError, encrypt, generateEncryptionKey } from "./cipher.ts";
import { isEncryptedData } from "./encrypted_data.ts";
import { generateKeyRing, parseKeyRing } from "./key_ring.ts";

Deno.test("encrypt() makes what another implementation of the format opens", async () => {
  const key = generateEncryptionKey();
  const sealed = await encrypt("grüße", key, 7);
  assert.equal(sealed.keyVersion, 7);
  const [salt, iv, data] = [sealed.salt, sealed.iv, sealed.data].map((part) => Buffer.from(part, "base64"));
  assert.ok(salt !== undefined && iv !== undefined && data !== undefined);
  assert.deepEqual([salt.length, iv.length], [32, 12]);
  const opener = createDecipheriv("aes-256-gcm", pbkdf2Sync(key, salt, 100_000, 32, "sha256"), iv);
  opener.setAuthTag(data.subarray(-16));
  const plain = Buffer.concat([opener.update(data.subarray(0, -16)), opener.final()]).toString();
  assert.equal(plain, "grüße");
});

Deno.test("encrypt() never repeats salt or IV", async () => {
  const [a, b] = await Promise.all([encrypt("x", "k"), encrypt("x", "k")]);
  assert.notEqual(a.salt, b.salt);
  assert.notEqual(a.iv, b.iv);
  assert.notEqual(a.data, b.data);
});

Deno.test("decrypt() gives one generic error for a wrong key and for any changed field", async () => {
  const sealed = await encrypt("secret", "right");
  assert.equal(await decrypt(sealed, "right"), "secret");
  await assert.rejects(decrypt(sealed, "wrong"), DecryptError);
  const other = await encrypt("secret", "right");
  for (const field of ["salt", "iv", "data"] as const) {
    await assert.rejects(decrypt({ ...sealed, [field]: other[field] }, "right"), DecryptError);
    await assert.rejects(decrypt({ ...sealed, [field]: "not base64!" }, "right"), DecryptError);
    await assert.rejects(decrypt({ ...sealed, [field]: "" }, "right"), DecryptError);
  }
});

Deno.test("KeyRing encrypts with the first key and opens what older ones sealed", async () => {
  const ring = generateKeyRing();
  const old = await ring.encrypt("secret");
  const next = parseKeyRing(ring.rotated().serialize());
  assert.deepEqual(next.versions, [2, 1]);
  assert.equal(await next.decrypt(old), "secret");
  assert.ok(next.isStale(old));
  const fresh = await next.encrypt("secret");
  assert.equal(fresh.keyVersion, 2);
  assert.ok(!next.isStale(fresh));
  await assert.rejects(ring.decrypt(fresh), DecryptError);
});

Deno.test("parseKeyRing() names the entry and never quotes it when one is wrong", () => {
  const key = generateEncryptionKey();
  const short = encodeBase64(new Uint8Array(16));
  for (const text of ["", key, `v1:${key},`, `v0:${key}`, `v1:${short}`, `v1:${key},v1:${key}`]) {
    assert.throws(() => parseKeyRing(text), (error: Error) => {
      assert.match(error.message, /^Key ring/);
      assert.ok(!error.message.includes(key) && !error.message.includes(short));
      return true;
    });
  }
});

Deno.test("base64 round-trips bytes past one chunk", () => {
  const bytes = new Uint8Array(100_001).map((_, at) => at % 251);
  assert.deepEqual(decodeBase64(encodeBase64(bytes)), bytes);
});

Deno.test("isEncryptedData() tells a sealed value from others", async () => {
  assert.ok(isEncryptedData(await encrypt("x", "k")));
  for (const value of [null, "x", {}, { keyVersion: "1", salt: "", iv: "", data: "" }]) {
    assert.ok(!isEncryptedData(value));
  }
});
