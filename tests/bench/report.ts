/** What a figure is held against: reached when the value is at most, or at least, `limit`. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

export interface Figure {
  readonly section: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The value as a share of something else measured in the same run. */
  readonly ratio?: { readonly of: string; readonly value: number };
  /** Held against the ratio where there is one, else against the value. */
  readonly goal?: Goal;
  readonly note?: string;
}

/** Collects figures; prints each when it is there, or all as JSON at the end. */
export class Report {
  readonly #json: boolean;
  readonly #figures: (Figure & { readonly reached?: boolean })[] = [];
  readonly #notes: { readonly section: string; readonly note: string }[] = [];
  #section = "";

  constructor(options: { readonly json: boolean }) {
    this.#json = options.json;
  }

  section(name: string): void {
    this.#section = name;
    this.#print(`\n${name}`);
  }

  /** Something that is not a figure: what could not be measured, and why. */
  note(note: string): void {
    this.#notes.push({ section: this.#section, note });
    this.#print(`  ${note}`);
  }

  /** Lines that explain the figure before, for people only. */
  detail(lines: readonly string[]): void {
    for (const line of lines) this.#print(`      ${line}`);
  }

  add(figure: Omit<Figure, "section">): void {
    const reached = isReached(figure);
    this.#figures.push({ section: this.#section, ...figure, ...(reached === null ? {} : { reached }) });
    const { name, value, unit, ratio, goal, note } = figure;
    const parts = [
      ...(ratio === undefined ? [] : [`${number(ratio.value)} of ${ratio.of}`]),
      ...(goal === undefined ? [] : [`goal ${goalText(goal)}: ${reached === true ? "reached" : "MISSED"}`]),
      ...(note === undefined ? [] : [note]),
    ];
    this.#print(`  ${name.padEnd(50)} ${number(value).padStart(9)} ${unit.padEnd(8)} ${parts.join("; ")}`.trimEnd());
  }

  /** Prints what is left to print; gives how many goals were missed. */
  finish(): number {
    const missed = this.#figures.filter(({ reached }) => reached === false).length;
    const withGoal = this.#figures.filter(({ reached }) => reached !== undefined).length;
    if (this.#json) console.log(JSON.stringify({ figures: this.#figures, notes: this.#notes }, null, 2));
    else console.log(`\n${withGoal - missed} of ${withGoal} goals reached`);
    return missed;
  }

  #print(line: string): void {
    if (!this.#json) console.log(line);
  }
}

function isReached({ value, ratio, goal }: Omit<Figure, "section">): boolean | null {
  if (goal === undefined) return null;
  const held = ratio?.value ?? value;
  return "atLeast" in goal ? held >= goal.atLeast : held <= goal.atMost;
}

function goalText(goal: Goal): string {
  return "atLeast" in goal ? `>= ${number(goal.atLeast)}` : `<= ${number(goal.atMost)}`;
}

function number(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}
