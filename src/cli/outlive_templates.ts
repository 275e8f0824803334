import { hubLogger } from "../logger/mod.ts";

/** As templates are imported: by content, see src/templates. */
const TEMPLATE_FRAME = /\?v=[0-9a-f]{32}:\d+:\d+\)?$/;

/**
 * Lets the process go on after a promise or timer of a template file that nobody waits for has failed: the file is loaded while
 * the hub serves others, and a mistake in it concerns nobody else. Any other stray error still ends the process, as it should:
 * what the hub is worth after one is not known, and what it has acknowledged is in the log.
 */
export function outliveTemplates(): Disposable {
  const log = hubLogger("templates");
  const survive = (event: Event, error: unknown) => {
    if (!isOfTemplate(error)) return;
    event.preventDefault();
    log.error("A template file left an error behind, outside of any run", { error });
  };
  const rejected = (event: PromiseRejectionEvent) => survive(event, event.reason);
  const thrown = (event: ErrorEvent) => survive(event, event.error);
  globalThis.addEventListener("unhandledrejection", rejected);
  globalThis.addEventListener("error", thrown);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("unhandledrejection", rejected);
      globalThis.removeEventListener("error", thrown);
    },
  };
}

/** Was it made in a template's own code? The first frame says so. */
export function isOfTemplate(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const frame = error.stack?.split("\n").find((line) => /^\s+at /.test(line));
  return frame !== undefined && TEMPLATE_FRAME.test(frame);
}
