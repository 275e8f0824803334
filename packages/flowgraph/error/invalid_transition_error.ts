import { FlowgraphError } from "./flowgraph_error.ts";

/** A call cannot go from one status to the other. */
export class InvalidTransitionError extends FlowgraphError {
  readonly requestId: string;
  readonly from: string;
  readonly to: string;

  constructor(requestId: string, from: string, to: string) {
    super(`Call "${requestId}" cannot go from "${from}" to "${to}"`);
    this.requestId = requestId;
    this.from = from;
    this.to = to;
  }
}
