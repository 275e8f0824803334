/** Turns one stream into another, or into its result. */
export type Operator<TIn, TOut> = (source: AsyncIterable<TIn>) => TOut;
