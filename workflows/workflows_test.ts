import assert from "node:assert/strict";
import { compile, type WorkflowDefinition } from "@alkdev/flowgraph";
import { Value } from "@alkdev/typebox/value";
import gitDigest from "./git_digest.tsx";
import hello from "./hello.tsx";
import resilience from "./resilience.tsx";
import sourceReport from "./source_report.tsx";

const ALL: readonly WorkflowDefinition[] = [gitDigest, hello, resilience, sourceReport];

for (const workflow of ALL) {
  Deno.test(`workflow ${workflow.name} has title, description and schemas, takes {} and compiles`, () => {
    assert(workflow.title !== undefined && workflow.description !== undefined && workflow.outputSchema !== null);
    const { inputSchema } = workflow;
    assert(inputSchema !== null);
    assert(Value.Check(inputSchema, Value.Default(inputSchema, {})));
    const { plan, functions } = compile(workflow, {});
    assert.equal(plan.workflow, workflow.name);
    assert.equal(functions.size, 0);
  });
}
