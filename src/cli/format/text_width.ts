import { stripStyle } from "./style.ts";

/** Columns that a text takes on a terminal: East Asian wide characters and emoji two, marks that combine none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of stripStyle(text)) width += characterWidth(character);
  return width;
}

/** The text cut to so many columns, the last of them `…` when something was cut. Colours are lost by cutting. */
export function fitText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let kept = "", width = 0;
  for (const character of stripStyle(text)) {
    width += characterWidth(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return columns <= 0 ? "" : `${kept}…`;
}

/** The text with spaces up to so many columns. */
export function padText(text: string, columns: number, side: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, columns - textWidth(text)));
  return side === "left" ? text + space : space + text;
}

/** What a terminal would act on, made visible: text from elsewhere must neither move the cursor nor break a line. */
export function safeText(text: string): string {
  return text.replace(/\r?\n/g, "⏎").replace(/\p{Cc}/gu, "�");
}

function characterWidth(character: string): number {
  if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
      .test(character)
    ? 2
    : 1;
}
