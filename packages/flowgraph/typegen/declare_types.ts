import type { OperationSpec } from "@alkdev/operations";
import { docComment, typeOfSchema } from "./type_of_schema.ts";

/** What templates may call, as a hub knows it. */
export interface DeclaredTypes {
  readonly operations: readonly Pick<
    OperationSpec,
    "namespace" | "name" | "description" | "inputSchema" | "outputSchema"
  >[];
  readonly workflows: readonly DeclaredWorkflow[];
}

/** A workflow that templates may start as a child. Schemas are JSON Schema; null: anything. */
export interface DeclaredWorkflow {
  readonly name: string;
  readonly description: string | null;
  readonly inputSchema: unknown;
  readonly outputSchema: unknown;
}

const HEAD = `// Written by \`hub types\`: write it again when operations or workflows have changed.
import "@alkdev/flowgraph";

declare module "@alkdev/flowgraph" {
`;

/**
 * A declaration file for templates: with it in the program, an unknown operation or workflow, an input that does not fit and a
 * reference to a field that is not there are type errors. The same registry gives the same text.
 */
export function declareTypes({ operations, workflows }: DeclaredTypes): string {
  const calls = operations.map((spec) => ({ ...spec, id: `${spec.namespace}.${spec.name}` }));
  const lines = [
    "  interface OperationTypes {",
    ...sorted(calls, ({ id }) => id).flatMap((spec) =>
      entry(spec.id, spec.description, typeOfSchema(spec.inputSchema), typeOfSchema(spec.outputSchema))
    ),
    "  }",
    "  interface WorkflowTypes {",
    ...sorted(workflows, ({ name }) => name).flatMap((workflow) => {
      const input = typeOfSchema(workflow.inputSchema, { defaultsFilled: true });
      return entry(workflow.name, workflow.description ?? "", input, typeOfSchema(workflow.outputSchema));
    }),
    "  }",
  ];
  return `${HEAD}${lines.join("\n")}\n}\n`;
}

function entry(name: string, description: string, input: string, output: string): readonly string[] {
  const doc = docComment(description).trim();
  return [
    ...(doc === "" ? [] : [`    ${doc}`]),
    `    ${JSON.stringify(name)}: {`,
    `      readonly input: ${input};`,
    `      readonly output: ${output};`,
    "    };",
  ];
}

function sorted<T>(items: readonly T[], nameOf: (item: T) => string): readonly T[] {
  return [...items].sort((a, b) => nameOf(a) < nameOf(b) ? -1 : 1);
}
