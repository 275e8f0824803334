import { type Signal, signal } from "@preact/signals";

/** Where the page is: `#/runs/42?status=failed`. */
export interface Place {
  /** `["runs", "42"]`; empty at the start. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** The present place; it follows the address. */
export const place: Signal<Place> = signal(placeOf(location.hash));

addEventListener("hashchange", () => {
  place.value = placeOf(location.hash);
  document.getElementById("main")?.focus();
});

/** The address of a place. */
export function to(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

export function go(path: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = to(path, query);
}

function placeOf(hash: string): Place {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter((part) => part !== "").map(decode), query: new URLSearchParams(search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
