import {
  Conditional,
  defineWorkflow,
  inputRef,
  itemRef,
  Map,
  Operation,
  Parallel,
  ref,
  Sequential,
  type WorkflowDefinition,
} from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const Input = Type.Object({
  path: Type.String({ default: ".", description: "Folder to look at, on the spoke" }),
  report: Type.String({
    default: "source-report.md",
    minLength: 1,
    description: "File the report is written to, on the spoke",
  }),
  title: Type.String({ default: "Source report" }),
  extensions: Type.Array(Type.String(), {
    default: [],
    description: 'Endings of the files to look at, as ["ts", "tsx"]; empty: every language that is known',
  }),
  exclude: Type.Array(Type.String({ minLength: 1 }), {
    default: [".git", "node_modules", "vendor", "dist", "coverage", ".hub"],
    description: "Names of folders and files to leave out",
  }),
  limit: Type.Integer({ default: 1_000, minimum: 1, maximum: 5_000, description: "Most files to look at" }),
  maxBytes: Type.Integer({ default: 262_144, minimum: 1, description: "Larger files are left out, in bytes" }),
  paceMs: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 60_000,
    description: "Each measure takes at least so long, in ms: to look at a run while it is under way",
  }),
});

const Output = Type.Object({
  files: Type.Integer(),
  lines: Type.Integer(),
  code: Type.Integer(),
  comment: Type.Integer(),
  blank: Type.Integer(),
  todos: Type.Integer(),
  functions: Type.Integer(),
});

const input = inputRef<Static<typeof Input>>();
const file = itemRef<{ path: string }>("file");

/** Measures the source files of a folder on a spoke, in parallel, and writes a report beside them. */
const sourceReport: WorkflowDefinition = defineWorkflow({
  name: "source_report",
  title: "Source report",
  description:
    "Lists the source files of a folder on a spoke, reads and measures each, and writes a report in Markdown.",
  input: Input,
  output: Output,
  template: (
    <Sequential>
      <Operation
        key="list"
        name="fs.list"
        title="List files"
        input={{ path: input.path, recursive: true, limit: 10_000 }}
        retry={{ maxAttempts: 3 }}
        timeout="30s"
      />
      <Operation
        key="select"
        name="report.select"
        title="Select source files"
        input={{
          files: ref("list").files,
          extensions: input.extensions,
          exclude: input.exclude,
          maxBytes: input.maxBytes,
          limit: input.limit,
        }}
      />
      <Map key="each_file" title="Each file" over={ref("select").files} as="file" maxConcurrency={8}>
        <Operation
          key="read"
          name="fs.read"
          title="Read"
          input={{ path: file.path, maxBytes: input.maxBytes }}
          retry={{ maxAttempts: 3 }}
          timeout="30s"
        />
        <Operation
          key="measure"
          name="report.measure"
          title="Measure"
          input={{
            path: file.path,
            text: ref("read").text,
            truncated: ref("read").truncated,
            paceMs: input.paceMs,
          }}
        />
      </Map>
      <Parallel>
        <Operation key="summary" name="report.summarize" title="Add up" input={{ files: ref("each_file") }} />
        <Conditional
          key="test_summary"
          when="nodes.select.tests > 0"
          else={
            <Operation
              key="no_tests"
              name="report.note"
              title="No tests"
              input={{ note: "There are no test files among them." }}
            />
          }
        >
          <Operation key="tests" name="report.tests" title="Add up tests" input={{ files: ref("each_file") }} />
        </Conditional>
      </Parallel>
      <Operation
        key="compose"
        name="report.compose"
        title="Compose the report"
        input={{
          title: input.title,
          summary: ref("summary"),
          tests: ref("test_summary"),
          leftOut: ref("select").leftOut,
        }}
      />
      <Operation
        key="write"
        name="fs.write"
        title="Write the report"
        input={{ path: input.report, text: ref("compose").markdown }}
        retry={{ maxAttempts: 3 }}
      />
    </Sequential>
  ),
  result: ref("summary"),
});

export default sourceReport;
