/** Access tokens of a local issuer beside keys: what is taken, what is refused, and what a client is told (RFC 9728). */
import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { operation, startHubProcess } from "./_hub_process.ts";

const AUDIENCE = "https://hub.example";
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;

function startIssuer() {
  const published: { kid: string; keys: Keys }[] = [];
  let asked = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const { pathname, origin } = new URL(request.url);
    if (pathname === "/.well-known/oauth-authorization-server") {
      return Response.json({ issuer: origin, jwks_uri: `${origin}/keys` });
    }
    if (pathname !== "/keys") return new Response(null, { status: 404 });
    asked++;
    const keys = await Promise.all(
      published.map(async ({ kid, keys: { publicKey } }) => ({ ...await exportJWK(publicKey), kid, alg: "ES256" })),
    );
    return Response.json({ keys });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked: () => asked,
    async publish(kid: string): Promise<Keys> {
      const keys = await generateKeyPair("ES256");
      published.push({ kid, keys });
      return keys;
    },
    stop: () => server.shutdown(),
  };
}

Deno.test("access tokens of the configured issuer are taken, and nothing else that looks like one", async (t) => {
  const issuer = startIssuer();
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-oauth-" });
  const oauth = { issuer: issuer.url, audience: AUDIENCE, orgClaim: "org", organizations: { acme: "default" } };
  await Deno.writeTextFile(
    `${dataDir}/config.jsonc`,
    JSON.stringify({ oauth, trustedProxies: ["127.0.0.1"] }),
  );
  try {
    await using hub = await startHubProcess({ dataDir });
    const first = await issuer.publish("one");
    const sign = (
      claims: JWTPayload,
      { keys = first, kid = "one", issuedBy = issuer.url, audience = AUDIENCE, expires = "5m" }: {
        keys?: Keys;
        kid?: string;
        issuedBy?: string;
        audience?: string;
        expires?: string;
      } = {},
    ) =>
      new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid }).setIssuer(issuedBy).setAudience(audience)
        .setSubject("ada").setExpirationTime(expires).sign(keys.privateKey);
    const claims = { scope: "workflow:read run:read workflow:run:report-*", org: "acme" };
    const status = async (key: string | null, path = "/api/runs") => (await hub.api("GET", path, { key })).status;
    await hub.api("PUT", "/api/workflows/report-a", { body: { template: operation("core.echo", "a", { value: 1 }) } });

    await t.step("a token's scopes and organization are its caller's", async () => {
      const key = await sign(claims);
      assert.equal(await status(key), 200);
      assert.equal(await status(key, "/api/keys"), 403);
      assert.equal((await hub.api("GET", "/api/workflows/report-a", { key })).status, 200);
      const run = await hub.api("POST", "/api/workflows/report-a/runs", { key, body: {} });
      assert.ok(run.status === 200 || run.status === 202, JSON.stringify(run.body));
      assert.equal(await status(hub.key), 200);
    });
    await t.step("a token of another issuer, audience, time, organization, key or algorithm is refused", async () => {
      const stranger = await generateKeyPair("ES256");
      const [, body = ""] = (await sign(claims)).split(".");
      const encode = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "");
      const refused: Record<string, string> = {
        issuer: await sign(claims, { issuedBy: "https://evil.example" }),
        audience: await sign(claims, { audience: "https://other.example" }),
        expired: await sign(claims, { expires: "-1m" }),
        organization: await sign({ ...claims, org: "evil" }),
        "no organization": await sign({ scope: "*" }),
        key: await sign(claims, { keys: stranger }),
        none: `${encode({ alg: "none" })}.${body}.e30`,
        hmac: await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "one" }).setIssuer(issuer.url)
          .setAudience(AUDIENCE).setSubject("ada").setExpirationTime("5m").sign(
            new TextEncoder().encode("x".repeat(64)),
          ),
      };
      for (const [what, token] of Object.entries(refused)) assert.equal(await status(token), 401, what);
    });
    await t.step("a verified token costs the issuer nothing more", async () => {
      const key = await sign(claims);
      await status(key);
      const before = issuer.asked();
      for (let turn = 0; turn < 10; turn++) assert.equal(await status(key), 200);
      assert.equal(issuer.asked(), before);
    });
    await t.step("a client is told where to get a token, under the address that it asked", async () => {
      const { headers } = await hub.api("POST", "/mcp", { key: null, body: {} });
      const url = `${hub.url}/.well-known/oauth-protected-resource`;
      assert.ok(headers.get("www-authenticate")?.includes(`resource_metadata="${url}/mcp"`));
      const { body } = await hub.api("GET", "/.well-known/oauth-protected-resource/mcp", { key: null });
      assert.deepEqual([body.resource, body.authorization_servers], [`${hub.url}/mcp`, [issuer.url]]);
      const behind = await hub.api("GET", "/.well-known/oauth-protected-resource", {
        key: null,
        headers: { "x-forwarded-proto": "https" },
      });
      assert.equal(behind.body.resource, hub.url.replace("http:", "https:"));
    });
    await t.step("a key that the issuer has published since is found, once its cooldown is over", async () => {
      const key = await sign(claims, { keys: await issuer.publish("two"), kid: "two" });
      const end = Date.now() + 8_000;
      while (await status(key) !== 200) {
        assert.ok(Date.now() < end, "the new key was never found");
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    });
  } finally {
    await issuer.stop();
  }
});
