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
  path: Type.String({ default: ".", description: "Repository to look at, on the spoke" }),
  commits: Type.Integer({
    default: 20,
    minimum: 1,
    maximum: 500,
    description: "Most commits to look at, newest first",
  }),
});

const Output = Type.Object({ markdown: Type.String(), commits: Type.Integer(), files: Type.Integer() });

const input = inputRef<Static<typeof Input>>();
const commit = itemRef<{ hash: string; author: string; date: string; subject: string }>("commit");
const change = itemRef<{ path: string; added: number; removed: number }>("change");

/** Maps in a Map, over data that only the run knows: the commits of a repository, and the files of each commit. */
const gitDigest: WorkflowDefinition = defineWorkflow({
  name: "git_digest",
  title: "Git digest",
  description: "Tells what the last commits of a repository on a spoke changed: by area, by author, the busiest files.",
  input: Input,
  output: Output,
  template: (
    <Sequential>
      <Operation
        key="log"
        name="git.log"
        title="Read the history"
        input={{ path: input.path, limit: input.commits }}
        retry={{ maxAttempts: 3 }}
        timeout="30s"
      />
      <Map key="each_commit" title="Each commit" over={ref("log").commits} as="commit" maxConcurrency={4}>
        <Operation
          key="show"
          name="bash.run"
          title="Read the changes"
          input={{
            command: "git",
            args: ["show", "--numstat", "--format=", "--no-renames", commit.hash],
            cwd: input.path,
          }}
          timeout="30s"
        />
        <Operation key="changes" name="digest.parse" title="Count lines" input={{ numstat: ref("show").stdout }} />
        <Parallel>
          <Conditional
            key="areas"
            when="size(nodes.changes.files) > 0"
            else={<Operation key="empty" name="core.echo" title="Nothing changed" input={{ value: [] }} />}
          >
            <Map key="each_change" title="Each file" over={ref("changes").files} as="change">
              <Operation
                key="classify"
                name="digest.classify"
                title="Classify"
                input={{ path: change.path, added: change.added, removed: change.removed }}
              />
            </Map>
          </Conditional>
          <Operation key="kind" name="digest.kind" title="Kind of commit" input={{ subject: commit.subject }} />
        </Parallel>
        <Operation
          key="digest"
          name="digest.commit"
          title="Digest the commit"
          input={{ commit, kind: ref("kind").kind, added: ref("changes").added, removed: ref("changes").removed }}
        />
      </Map>
      <Operation
        key="summary"
        name="digest.summarize"
        title="Put the digest together"
        input={{ commits: ref("digest"), changes: ref("classify") }}
      />
    </Sequential>
  ),
  result: ref("summary"),
});

export default gitDigest;
