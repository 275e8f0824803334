import { eventTargetConformance } from "./event_target_conformance.ts";

eventTargetConformance("EventTarget", Deno.test, () => {
  const target = new EventTarget();
  return Promise.resolve({ from: target, to: target, settle: () => Promise.resolve(), close: () => Promise.resolve() });
});
