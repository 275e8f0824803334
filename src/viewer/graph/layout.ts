import type { ShapeTree } from "./shape_tree.ts";

/** A box on the canvas. Lengths are canvas units: pixels at zoom 1. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly shape: ShapeTree;
  /** A frame around others; else a node. */
  readonly isFrame: boolean;
  readonly depth: number;
}

/** From the bottom of one box to the top of another. */
export interface Arrow {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Outer ones first. */
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

export const NODE_WIDTH = 184;
export const NODE_HEIGHT = 48;
const STEP_GAP = 30;
const SIDE_GAP = 18;
const PADDING = 14;
export const HEADER = 26;
/** Side by side at most; what is beside them goes below. */
const COLUMNS = 5;
/** A folded Map's squares. */
export const CELL = 10;
export const CELLS_PER_ROW = 32;
const MAX_CELL_ROWS = 8;

/** Squares that a folded Map shows at most. */
export const MAX_CELLS: number = CELLS_PER_ROW * MAX_CELL_ROWS;

interface Sized {
  readonly shape: ShapeTree;
  readonly width: number;
  readonly height: number;
  readonly isFrame: boolean;
  /** Rows of children: a Sequential has one child a row. */
  readonly rows: readonly (readonly Sized[])[];
}

/** Places steps below each other and what is parallel beside each other. Linear in the shapes. */
export function layoutOf(root: ShapeTree): Layout {
  const boxes: Box[] = [];
  const arrows: Arrow[] = [];
  const sized = measure(root);
  put(sized, 0, 0, 0, boxes, arrows);
  return { width: sized.width, height: sized.height, boxes, arrows };
}

function measure(shape: ShapeTree): Sized {
  if (shape.folded !== null) {
    const rows = Math.min(MAX_CELL_ROWS, Math.ceil(shape.folded.length / CELLS_PER_ROW));
    const columns = Math.min(CELLS_PER_ROW, shape.folded.length);
    const width = Math.max(NODE_WIDTH, columns * CELL + 2 * PADDING);
    return { shape, width, height: HEADER + rows * CELL + 2 * PADDING, isFrame: true, rows: [] };
  }
  if (isLeaf(shape)) return { shape, width: NODE_WIDTH, height: NODE_HEIGHT, isFrame: false, rows: [] };
  const children = shape.children.map(measure);
  const rows = isSteps(shape) ? children.map((child) => [child]) : rowsOf(children);
  const isFrame = shape.kind !== "sequential";
  const gap = isSteps(shape) ? STEP_GAP : SIDE_GAP;
  const inner = rows.map(sizeOfRow);
  const width = Math.max(0, ...inner.map((row) => row.width));
  const height = inner.reduce((sum, row) => sum + row.height, 0) + Math.max(0, rows.length - 1) * gap;
  if (!isFrame) return { shape, width: Math.max(width, 1), height, isFrame, rows };
  return {
    shape,
    width: Math.max(NODE_WIDTH, width + 2 * PADDING),
    height: height + HEADER + (children.length === 0 ? 0 : 2 * PADDING),
    isFrame,
    rows,
  };
}

function put(sized: Sized, x: number, y: number, depth: number, boxes: Box[], arrows: Arrow[]): void {
  const { shape, width, height, isFrame, rows } = sized;
  const isNode = isLeaf(shape) || shape.folded !== null;
  if (isFrame || isNode) boxes.push({ x, y, width, height, shape, isFrame, depth });
  const gap = isSteps(shape) ? STEP_GAP : SIDE_GAP;
  let top = y + (isFrame ? HEADER + PADDING : 0);
  let previous: { readonly x: number; readonly y: number } | null = null;
  for (const row of rows) {
    const size = sizeOfRow(row);
    let left = x + (width - size.width) / 2;
    for (const child of row) {
      put(child, left, top, depth + 1, boxes, arrows);
      const middle = left + child.width / 2;
      if (isSteps(shape)) {
        if (previous !== null) arrows.push({ x1: previous.x, y1: previous.y, x2: middle, y2: top });
        previous = { x: middle, y: top + child.height };
      }
      left += child.width + SIDE_GAP;
    }
    top += size.height + gap;
  }
}

function sizeOfRow(row: readonly Sized[]): { readonly width: number; readonly height: number } {
  let width = (row.length - 1) * SIDE_GAP;
  let height = 0;
  for (const child of row) {
    width += child.width;
    height = Math.max(height, child.height);
  }
  return { width, height };
}

function rowsOf(children: readonly Sized[]): readonly (readonly Sized[])[] {
  // Many small ones make a block rather than a ribbon.
  const columns = Math.max(COLUMNS, Math.ceil(Math.sqrt(children.length)));
  const rows: Sized[][] = [];
  for (let from = 0; from < children.length; from += columns) rows.push(children.slice(from, from + columns));
  return rows;
}

/** Whether its children come one after the other. */
function isSteps({ kind }: ShapeTree): boolean {
  return kind === "sequential" || kind === "loop";
}

function isLeaf({ kind }: ShapeTree): boolean {
  return kind === "operation" || kind === "workflow" || kind === "sleep" || kind === "signal";
}
