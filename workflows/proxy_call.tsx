import {
  Conditional,
  defineWorkflow,
  inputRef,
  Operation,
  ref,
  Sequential,
  type WorkflowDefinition,
} from "@alkdev/flowgraph";
import { type Static, Type } from "@alkdev/typebox";

const Input = Type.Object({
  call: Type.String({ description: "Id of the call that waits in the hub" }),
  endpoint: Type.String(),
  model: Type.String(),
  stream: Type.Boolean(),
  key: Type.Union([Type.String(), Type.Null()]),
});

const { call } = inputRef<Static<typeof Input>>();

/**
 * One call of a language model through the hub. The hub starts a run of it for each request to `/v1/…`; what is asked and answered
 * stays with the caller's connection, and a run whose connection is gone fails.
 */
const proxyCall: WorkflowDefinition = defineWorkflow({
  name: "proxy_call",
  title: "Call of a model",
  description: "Authorises a call of a model, sets its money aside, asks providers one after the other, and settles.",
  input: Input,
  template: (
    <Sequential>
      <Operation key="authorise" name="inference.authorise" title="Where may it go?" input={{ call }} />
      <Operation key="reserve" name="inference.reserve" title="Set aside what it may use" input={{ call }} />
      <Operation key="primary" name="inference.attempt" title="First provider" input={{ call }} />
      <Conditional
        key="boundary"
        title="Failed before the first token?"
        when='status.primary == "failed" && errors.primary.code == "PROVIDER_ATTEMPT_FAILED"'
      >
        <Operation
          key="fallback"
          name="inference.attempt"
          title="The next ones"
          input={{ call }}
          retry={{ maxAttempts: 8, backoff: { kind: "fixed", initialMs: 1 }, on: ["PROVIDER_ATTEMPT_FAILED"] }}
        />
      </Conditional>
      <Conditional key="always" title="Whatever came of it" when='status.primary != "" || status.fallback != ""'>
        <Operation key="settle" name="inference.settle" title="Settle what it used" input={{ call }} />
      </Conditional>
    </Sequential>
  ),
  result: ref("settle"),
});

export default proxyCall;
