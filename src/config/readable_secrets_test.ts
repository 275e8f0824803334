import assert from "node:assert/strict";
import { readableSecrets } from "./readable_secrets.ts";

Deno.test({
  name: "readableSecrets() finds secrets that others can get at, wherever the master key is",
  ignore: Deno.build.os === "windows",
  async fn() {
    const dataDir = await Deno.makeTempDir();
    const masterKeyPath = `${dataDir}/elsewhere.key`;
    const find = () => readableSecrets({ dataDir, masterKeyPath });
    assert.deepEqual(await find(), []);
    await Deno.writeTextFile(`${dataDir}/admin.key`, "x", { mode: 0o600 });
    await Deno.writeTextFile(masterKeyPath, "x", { mode: 0o600 });
    assert.deepEqual(await find(), []);
    await Deno.chmod(`${dataDir}/admin.key`, 0o640);
    await Deno.chmod(masterKeyPath, 0o604);
    assert.deepEqual(await find(), [{ path: masterKeyPath, mode: "604" }, {
      path: `${dataDir}/admin.key`,
      mode: "640",
    }]);
    await Deno.remove(dataDir, { recursive: true });
  },
});
