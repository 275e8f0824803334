import { createHash } from "node:crypto";
import type { ViewerAsset, ViewerFiles } from "../server/mod.ts";

const FILES = [
  { path: "dist/viewer.js", name: "viewer", extension: "js", contentType: "text/javascript; charset=utf-8" },
  { path: "viewer.css", name: "viewer", extension: "css", contentType: "text/css; charset=utf-8" },
] as const;

/** The page's files, under names that change with what is in them. */
export async function readViewer(): Promise<ViewerFiles> {
  const assets = new Map<string, ViewerAsset>();
  const names: string[] = [];
  for (const { path, name, extension, contentType } of FILES) {
    const body = await Deno.readFile(new URL(`../viewer/${path}`, import.meta.url));
    const hash = createHash("sha256").update(body).digest("hex").slice(0, 16);
    const assetName = `${name}.${hash}.${extension}`;
    assets.set(assetName, { body, contentType });
    names.push(assetName);
  }
  const [script = "", style = ""] = names;
  return { script, style, assets };
}
