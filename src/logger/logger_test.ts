import assert from "node:assert/strict";
import { resetSync } from "@logtape/logtape";
import { configureLogger, hubLogger, type LoggerOptions } from "./configure_logger.ts";
import { redact, redactText } from "./redact.ts";

async function capture(options: Partial<LoggerOptions>, log: () => void): Promise<string[]> {
  const lines: string[] = [];
  await configureLogger({
    level: "info",
    format: "json",
    isTerminal: false,
    write: (line) => lines.push(line),
    ...options,
  });
  try {
    log();
  } finally {
    resetSync();
  }
  return lines;
}

Deno.test("configureLogger() writes one JSON line a record, from its level up", async () => {
  const lines = await capture({}, () => {
    hubLogger("server").debug("hidden");
    hubLogger("server").info("Started on {port}", { port: 1, url: "http://localhost" });
  });
  assert.equal(lines.length, 1);
  const { time, ...rest } = JSON.parse(lines[0] ?? "");
  assert.match(time, /^\d{4}-.*Z$/);
  assert.deepEqual(rest, {
    level: "info",
    logger: "hub.server",
    message: "Started on 1",
    port: 1,
    url: "http://localhost",
  });
});

Deno.test("configureLogger() writes nothing when off", async () => {
  assert.deepEqual(await capture({ level: "off" }, () => hubLogger("x").fatal("boom")), []);
});

Deno.test("formatPretty() keeps a message on its line, and shows an error's stack below", async () => {
  const error = new Error("boom");
  const lines = await capture({ format: "auto", isTerminal: true }, () => {
    hubLogger("a").warn("two\nlines {who}", { who: "a b" });
    hubLogger("a").error("failed", { error });
  });
  assert.match(lines[0] ?? "", /warning {2}hub\.a {2}two\\u000alines a b {2}who="a b"\n$/);
  assert.match(lines[1] ?? "", /error=boom\n {2}Error: boom\n/);
});

Deno.test("redactText() hides what looks like a key, and only that", () => {
  const key = "alk_AbCdEfGhIjKlMnOpQrStUvWxYz012345";
  for (
    const text of [
      `Bearer ${key}`,
      `bearer.${key}`,
      `key ${key} refused`,
      "sk-proj-0123456789abcdef",
      "postgres://hub:hunter2hunter2@db/hub",
      "v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
      "/x?api_key=abcdef",
    ]
  ) {
    const clean = redactText(text);
    assert.match(clean, /\[redacted\]/, text);
    for (const secret of [key, "hunter2", "0123456789abcdef", "AAAA", "eyJ", "abcdef"]) {
      assert.ok(!clean.includes(secret), clean);
    }
  }
  for (const text of ["run 0197-abc done", "http://localhost:8787/ready", "task-force", "asking_for_something_else"]) {
    assert.equal(redactText(text), text);
  }
});

Deno.test("redact() hides fields by name, at any depth, and leaves counts", () => {
  const value = {
    apiKey: "x",
    headers: { Authorization: "x", "x-api-key": "x" },
    list: [{ password: "x" }],
    totalTokens: 3,
  };
  assert.deepEqual(redact(value), {
    apiKey: "[redacted]",
    headers: { Authorization: "[redacted]", "x-api-key": "[redacted]" },
    list: [{ password: "[redacted]" }],
    totalTokens: 3,
  });
});

Deno.test("redact() stands cycles, causes and what JSON cannot hold", () => {
  const loop: Record<string, unknown> = { big: 1n, when: new Date(0), bytes: new Uint8Array(3) };
  loop.self = loop;
  assert.doesNotThrow(() => JSON.stringify(redact(loop)));
  const error = new Error("outer", { cause: new Error("token=abc at postgres://u:pw@h") });
  assert.ok(!JSON.stringify(redact(error)).includes("u:pw"));
});

Deno.test("a failed query is logged with its statement and without its parameters, also as text", async () => {
  const failed = new Error("Failed query: select $1\nparams: hunter2,\nsecond line");
  const outer = new Error("It failed", { cause: failed });
  const lines = await capture({}, () => {
    hubLogger("a").error("failed", { error: outer });
    hubLogger("a").error("failed: {error}", { error: String(failed) });
  });
  assert.equal(lines.length, 2);
  for (const line of lines) {
    assert.match(line, /select \$1/);
    assert.doesNotMatch(line, /hunter2|second line/);
  }
});
