/** A draw of a share of which `yes` of `yes + no` trials are known: the posterior with Jeffreys' prior. */
export function drawShare(yes: number, no: number, random: () => number): number {
  const a = gamma(yes + 0.5, random);
  const b = gamma(no + 0.5, random);
  return a + b === 0 ? 0.5 : a / (a + b);
}

/** Gamma with scale 1, by Marsaglia and Tsang. */
function gamma(shape: number, random: () => number): number {
  if (shape < 1) return gamma(shape + 1, random) * Math.max(random(), Number.MIN_VALUE) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = Math.max(random(), Number.MIN_VALUE);
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

function normal(random: () => number): number {
  const u = Math.max(random(), Number.MIN_VALUE);
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * random());
}
