/** Throws unless `value` is a whole number of at least `min`. */
export function assertCount(what: string, value: number, min: number): void {
  if (Number.isInteger(value) && value >= min) return;
  throw new RangeError(`${what} must be an integer of at least ${min}: current value is ${value}`);
}
