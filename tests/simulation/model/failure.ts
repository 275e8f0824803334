/** Where a failure comes from, by walking back the way it came. */
import { abortedAround, type Instance, predecessors } from "./instance.ts";

/** The end of an instance, or its entry. */
interface Step {
  readonly inst: Instance;
  readonly entry: boolean;
}

/** A failure of its own, as against one handed on. A Conditional's own fails its branches, and they its end. */
function isOrigin({ inst, entry }: Step): boolean {
  if (inst.selfAborted) return true;
  return inst.error !== null && inst.status === "failed" && (entry || inst.node.kind !== "conditional");
}

function causes(step: Step): Step[] {
  const { inst, entry } = step;
  if (isOrigin(step)) return [];
  const aborted = abortedAround(inst);
  if (aborted !== null) return [{ inst: aborted, entry: false }];
  if (!entry && !inst.isLeaf) {
    const last = inst.children[inst.children.length - 1];
    const enders = inst.node.kind === "sequential" ? (last === undefined ? [] : [last]) : inst.children;
    const bad = enders.filter((child) => child.bad);
    if (bad.length > 0) return bad.map((child) => ({ inst: child, entry: false }));
    if (inst.began) return [];
  }
  const found = predecessors(inst).filter((before) => before.bad).map((before) => ({ inst: before, entry: false }));
  const { parent } = inst;
  const first = parent !== null && (parent.node.kind !== "sequential" || parent.children[0] === inst);
  const gateFailed = parent !== null && parent.error !== null && parent.bad;
  if (first && (gateFailed || (parent.bad && !parent.began))) found.push({ inst: parent, entry: true });
  return found;
}

/** Every node whose own failure is behind the failure of `inst`, earliest first. */
export function origins(inst: Instance): Instance[] {
  const found = new Set<Instance>();
  const seen = new Set<Instance>();
  const walk = (step: Step): void => {
    if (!step.entry) {
      if (seen.has(step.inst)) return;
      seen.add(step.inst);
    }
    if (step.inst.selfAborted || (step.inst.error !== null && step.inst.status === "failed")) found.add(step.inst);
    else for (const cause of causes({ ...step, entry: step.entry || !step.inst.began })) walk(cause);
  };
  walk({ inst, entry: false });
  return [...found].sort((a, b) => a.failedSeq - b.failedSeq);
}

/** Whether a Conditional that looks at `tested` (plan indices in its own frame) catches every failure before it. */
export function catches(gate: Instance, tested: ReadonlySet<number>): boolean {
  const covered = (step: Step): boolean => {
    const { inst, entry } = step;
    if (tested.has(inst.index)) return true;
    const aborted = abortedAround(inst);
    if (aborted !== null) return [...tested].some((one) => one >= aborted.index && one < aborted.node.end);
    if (isOrigin(step)) return false;
    const { kind } = inst.node;
    if (!entry && !inst.isLeaf && (!inst.began || (kind === "conditional" && inst.error !== null))) {
      // It never began: who looks at a node inside sees it aborted by the very same failure.
      return [...tested].some((one) => one > inst.index && one < inst.node.end) || covered({ inst, entry: true });
    }
    // What happens inside a Map or Loop is in view only through the Map or Loop itself.
    if (!entry && (kind === "map" || kind === "loop")) return false;
    const before = causes(step);
    return before.length > 0 && before.every(covered);
  };
  return causes({ inst: gate, entry: true }).every(covered);
}
