import assert from "node:assert/strict";
import process from "node:process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openDatabase } from "./open_database.ts";
import { lockFolder } from "./folder_lock.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const HERE = new URL(".", import.meta.url).href;

Deno.test("openDatabase() keeps every acknowledged row through kill -9, and opens again without repair", async () => {
  const folder = await Deno.makeTempDir();
  const script = `
    const { openDatabase } = await import("${HERE}open_database.ts");
    const db = await openDatabase({ dataDir: ${JSON.stringify(folder)} });
    await db.script("create table if not exists a (x integer primary key)");
    for (let i = 0; ; i++) { await db.query("insert into a values ($1)", [i]); if (i % 50 === 0) console.log(i); }`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--config", CONFIG, script],
    stdout: "piped",
    cwd: "/",
  })
    .spawn();
  let seen = -1;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    seen = Math.max(seen, ...chunk.split("\n").filter((line) => line !== "").map(Number));
    if (seen >= 300) break;
  }
  await assert.rejects(openDatabase({ dataDir: folder }), new RegExp(`process ${child.pid} has it open`));
  child.kill("SIGKILL");
  await child.status;
  const db = await openDatabase({ dataDir: folder });
  const [row] = await db.query<{ n: number; max: number }>("select count(*)::int as n, max(x) as max from a");
  assert.ok(row !== undefined && row.max >= seen && row.n === row.max + 1, JSON.stringify({ row, seen }));
  await db.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("lockFolder() takes over from a dead process and from a pid that now is another's", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/database.lock`;
  const dead = new Deno.Command("true").spawn();
  await dead.status;
  for (const stale of [`${dead.pid} 1`, `${process.pid} 1`, "nonsense", ""]) {
    writeFileSync(path, stale);
    const unlock = lockFolder(folder);
    assert.throws(() => lockFolder(folder), /has it open/);
    unlock();
    lockFolder(folder)();
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("openDatabase() names the server without its password when it cannot be reached", async () => {
  await assert.rejects(
    openDatabase({ url: "postgres://me:secret@127.0.0.1:1/none" }),
    (error: Error) => /Cannot reach the database at "postgres:\/\/me:\*\*\*@127/.test(error.message),
  );
});
