/** A box to be placed. */
export interface Box {
  readonly width: number;
  readonly height: number;
}

/** Where a box is: its upper left corner. */
export interface Placed {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly places: readonly Placed[];
  readonly width: number;
  readonly height: number;
}

const GAP_X = 24;
const GAP_Y = 44;
const MARGIN = 16;
/** Boxes in one row; a layer with more has several rows. */
const ROW = 12;
const SWEEPS = 4;

/**
 * Boxes in layers from top to bottom, each below all that it comes after, near to what it is connected with. Linear in boxes and edges
 * but for the sorting within layers. Edges of a cycle are ignored where they would close it.
 */
export function layeredLayout(boxes: readonly Box[], edges: readonly (readonly [from: number, to: number])[]): Layout {
  const before: number[][] = boxes.map(() => []);
  const after: number[][] = boxes.map(() => []);
  for (const [from, to] of edges) {
    if (from === to) continue;
    after[from]!.push(to);
    before[to]!.push(from);
  }
  const layers = layersOf(boxes.length, before, after);
  order(layers, before, after);
  return place(layers, boxes);
}

/** The longest way to each box decides its layer. */
function layersOf(count: number, before: readonly number[][], after: readonly number[][]): number[][] {
  const layer = new Array<number>(count).fill(0);
  const pending = before.map((list) => list.length);
  const ready = pending.flatMap((left, index) => left === 0 ? [index] : []);
  const layers: number[][] = [];
  let placed = 0;
  for (let next = 0; placed < count; next++) {
    let index = ready[next];
    if (index === undefined) {
      // Only boxes of cycles are left: the first of them begins.
      index = pending.findIndex((left) => left > 0);
      pending[index] = 0;
      ready.push(index);
    }
    placed++;
    (layers[layer[index]!] ??= []).push(index);
    for (const to of after[index]!) {
      if (pending[to] === 0) continue;
      layer[to] = Math.max(layer[to]!, layer[index]! + 1);
      if (--pending[to]! === 0) ready.push(to);
    }
  }
  return Array.from(layers, (list) => list ?? []);
}

/** Sorts each layer by where its neighbours are, down and up again. */
function order(layers: number[][], before: readonly number[][], after: readonly number[][]): void {
  const position: number[] = [];
  const number = (list: readonly number[]) => list.forEach((index, i) => position[index] = (i + 0.5) / list.length);
  layers.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const neighbours = sweep % 2 === 0 ? before : after;
    for (const list of sweep % 2 === 0 ? layers : layers.toReversed()) {
      const weight = new Map(list.map((index) => {
        const near = neighbours[index]!;
        const sum = near.reduce((total, other) => total + position[other]!, 0);
        return [index, near.length === 0 ? position[index]! : sum / near.length];
      }));
      list.sort((a, b) => weight.get(a)! - weight.get(b)! || a - b);
      number(list);
    }
  }
}

function place(layers: readonly number[][], boxes: readonly Box[]): Layout {
  const rows = layers.flatMap((list) =>
    Array.from({ length: Math.ceil(list.length / ROW) }, (_, i) => list.slice(i * ROW, (i + 1) * ROW))
  );
  const widthOf = (row: readonly number[]) =>
    row.reduce((sum, index) => sum + boxes[index]!.width, 0) + GAP_X * (row.length - 1);
  const width = rows.reduce((widest, row) => Math.max(widest, widthOf(row)), 0) + 2 * MARGIN;
  const places: Placed[] = new Array(boxes.length);
  let y = MARGIN;
  for (const row of rows) {
    let x = (width - widthOf(row)) / 2;
    let tallest = 0;
    for (const index of row) {
      const box = boxes[index]!;
      places[index] = { x: Math.round(x), y };
      x += box.width + GAP_X;
      tallest = Math.max(tallest, box.height);
    }
    y += tallest + GAP_Y;
  }
  return { places, width: Math.ceil(width), height: Math.max(2 * MARGIN, y - GAP_Y + MARGIN) };
}
