import { type Signal, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const STORED = "hub.theme";
const THEMES: readonly Theme[] = ["auto", "light", "dark"];

/** Which colours; `auto` follows the system. */
export const theme: Signal<Theme> = signal(read());
apply();

/** The next of the three. */
export function turnTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
  localStorage.setItem(STORED, theme.value);
  apply();
}

function apply(): void {
  document.documentElement.dataset["theme"] = theme.value;
}

function read(): Theme {
  const stored = localStorage.getItem(STORED);
  return THEMES.find((one) => one === stored) ?? "auto";
}
