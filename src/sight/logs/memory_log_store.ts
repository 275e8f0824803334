import { LEVELS, type LogLine, type LogStore, type NewProgress } from "./ports.ts";

/** Lines and progress in memory. */
export function createMemoryLogStore(): LogStore {
  const lines: LogLine[] = [];
  const progress = new Map<string, NewProgress>();
  return {
    append(batch) {
      for (const line of batch.lines) lines.push({ ...line, id: lines.length + 1 });
      for (const one of batch.progress) {
        const key = `${one.runId}\n${one.key}`;
        const known = progress.get(key);
        if (known === undefined || isLater(one, known)) progress.set(key, one);
      }
      return Promise.resolve();
    },
    read({ runId, node, level = "debug", after, limit }) {
      const floor = LEVELS.indexOf(level);
      const found = lines.filter((line) =>
        line.runId === runId && line.id > after && LEVELS.indexOf(line.level) >= floor &&
        (node === undefined || line.key === node || line.key.startsWith(`${node}[`))
      );
      return Promise.resolve(found.slice(0, limit));
    },
    progress({ runId, limit }) {
      const found = [...progress.values()].filter((one) => one.runId === runId);
      return Promise.resolve(found.sort((a, b) => b.at - a.at || (a.key < b.key ? -1 : 1)).slice(0, limit));
    },
  };
}

function isLater(one: NewProgress, known: NewProgress): boolean {
  return one.attempt > known.attempt || one.attempt === known.attempt && one.at >= known.at;
}
