import assert from "node:assert/strict";

const PROBE = new URL("./_tls_probe.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

async function openssl(dir: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, cwd: dir, stdout: "null" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** A certificate of `good.test`, and the authority that signed it. False: there is no openssl here. */
async function makeCertificate(dir: string): Promise<boolean> {
  const fresh = ["-newkey", "rsa:2048", "-nodes"];
  try {
    await openssl(
      dir,
      "req",
      "-x509",
      ...fresh,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-days",
      "2",
      "-subj",
      "/CN=ca",
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  await Deno.writeTextFile(`${dir}/ext`, "subjectAltName=DNS:good.test\nbasicConstraints=CA:FALSE\n");
  await openssl(dir, "req", ...fresh, "-keyout", "key.pem", "-out", "csr", "-subj", "/CN=good.test");
  const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext"];
  await openssl(dir, "x509", "-req", "-in", "csr", "-out", "cert.pem", ...signed);
  return true;
}

Deno.test("Egress.fetch() checks the certificate against the name though it connects to an address", async () => {
  const dir = await Deno.makeTempDir({ prefix: "hub-tls-" });
  try {
    if (!await makeCertificate(dir)) return console.log("openssl is not there: not run");
    const probe = async (env: Record<string, string>) => {
      const args = ["run", "-A", "--no-check", "--config", CONFIG, PROBE, `${dir}/cert.pem`, `${dir}/key.pem`];
      const { stdout } = await new Deno.Command(Deno.execPath(), { args, env, stderr: "inherit" }).output();
      return new TextDecoder().decode(stdout).trim().split("\n");
    };
    const [good, bad] = await probe({ NODE_EXTRA_CA_CERTS: `${dir}/ca.pem` });
    assert.equal(good, "good.test: over TLS");
    assert.match(bad ?? "", /does not match certificate/);
    for (const line of await probe({})) assert.match(line, /EXECUTION_ERROR|certificate/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
