/** Root of every error this package throws. None of them crosses the wire. */
export class FlowgraphError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
