/** Applies operators from left to right: `pipe(source, filter(isOdd), map(double), toArray())`. */
export function pipe<A>(source: A): A;
export function pipe<A, B>(source: A, ab: (a: A) => B): B;
export function pipe<A, B, C>(source: A, ab: (a: A) => B, bc: (b: B) => C): C;
export function pipe<A, B, C, D>(source: A, ab: (a: A) => B, bc: (b: B) => C, cd: (c: C) => D): D;
export function pipe<A, B, C, D, E>(
  source: A,
  ab: (a: A) => B,
  bc: (b: B) => C,
  cd: (c: C) => D,
  de: (d: D) => E,
): E;
export function pipe<A, B, C, D, E, F>(
  source: A,
  ab: (a: A) => B,
  bc: (b: B) => C,
  cd: (c: C) => D,
  de: (d: D) => E,
  ef: (e: E) => F,
): F;
export function pipe(source: unknown, ...operators: ((value: never) => unknown)[]): unknown {
  // The overloads have matched each operator to what stands before it.
  return operators.reduce((value, operator) => operator(value as never), source);
}
