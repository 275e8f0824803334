/** `Deno.test` for Node: what the packages' tests are run by there. With what Node 20 lacks and tests, not packages, use. */
import test from "node:test";

Promise.withResolvers ??= () => {
  let resolve, reject;
  const promise = new Promise((...both) => [resolve, reject] = both);
  return { promise, resolve, reject };
};
Array.fromAsync ??= async (items) => {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
};
Map.groupBy ??= (items, keyOf) => {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...groups.get(keyOf(item)) ?? [], item]);
  return groups;
};

function definitionOf(args) {
  const [first, second, third] = args;
  if (typeof first === "object") return first;
  if (typeof first === "function") return { name: first.name, fn: first };
  return typeof second === "function" ? { name: first, fn: second } : { ...second, name: first, fn: third };
}

const run = (fn) => (context) =>
  fn({
    name: context.name,
    async step(...args) {
      const step = definitionOf(args);
      await context.test(step.name, run(step.fn));
      return true;
    },
  });

globalThis.testOnNode = (...args) => {
  const { name, fn, ignore } = definitionOf(args);
  test(name, { skip: ignore === true }, run(fn));
};
