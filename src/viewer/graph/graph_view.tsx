import type { JSX, TargetedPointerEvent } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { MARKS } from "../parts/status.tsx";
import { type Box, CELL, CELLS_PER_ROW, HEADER, type Layout, layoutOf, MAX_CELLS } from "./layout.ts";
import { type NodeState, type PlanPlace, shapeTree } from "./shape_tree.ts";

export interface GraphViewProps {
  readonly tree: readonly PlanPlace[];
  /** Null: a plan, not a run. */
  readonly nodes: readonly NodeState[] | null;
  readonly selected: string | null;
  readonly onSelect: (key: string) => void;
  /** Keys on the critical path. */
  readonly marked?: ReadonlySet<string>;
}

/** What part of the canvas is seen: its top left corner in canvas units, and the zoom. */
interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

const MAX_ZOOM = 2;
const MIN_ZOOM = 0.02;
/** With more boxes in sight they are drawn as plain rectangles, one path for each status. */
const PLAIN_FROM = 700;

/** A run's graph, or a plan's: drag and wheel move it, Tab goes from node to node, Enter opens one. */
export function GraphView({ tree, nodes, selected, onSelect, marked }: GraphViewProps): JSX.Element {
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const layout = useMemo(() => {
    const root = shapeTree({ tree, nodes, toggled });
    return root === null ? null : layoutOf(root);
  }, [tree, nodes, toggled]);
  const holder = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 800, height: 560 });
  const [view, setView] = useState<View | null>(null);
  useLayoutEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const watch = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    watch.observe(element);
    setSize({ width: element.clientWidth, height: element.clientHeight });
    return () => watch.disconnect();
  }, []);
  const present = view ?? (layout === null ? { x: 0, y: 0, zoom: 1 } : fitted(layout, size));
  const latest = useRef(present);
  latest.current = present;
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    // Not a passive listener, as the page must not scroll.
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      const at = { x: event.clientX - left, y: event.clientY - top };
      setView(
        event.ctrlKey || event.metaKey || !event.shiftKey && event.deltaMode === 0 && Math.abs(event.deltaY) >= 50
          ? zoomed(latest.current, Math.exp(-event.deltaY / 400), at)
          : moved(latest.current, event.deltaX, event.deltaY),
      );
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, []);
  const onPointerDown = (down: TargetedPointerEvent<HTMLDivElement>): void => {
    if ((down.target as Element).closest("[data-key]") !== null) return;
    const element = down.currentTarget;
    element.setPointerCapture(down.pointerId);
    let { clientX, clientY } = down;
    const onMove = (move: PointerEvent): void => {
      setView(moved(latest.current, clientX - move.clientX, clientY - move.clientY));
      ({ clientX, clientY } = move);
    };
    element.addEventListener("pointermove", onMove);
    element.addEventListener("pointerup", () => element.removeEventListener("pointermove", onMove), { once: true });
  };
  const middle = { x: size.width / 2, y: size.height / 2 };
  const toggle = (key: string): void => {
    const next = new Set(toggled);
    if (!next.delete(key)) next.add(key);
    setToggled(next);
  };
  return (
    <div class="graph">
      <div class="graph-tools" role="toolbar" aria-label="Graph">
        <button type="button" aria-label="Zoom in" onClick={() => setView(zoomed(present, 1.25, middle))}>+</button>
        <button type="button" aria-label="Zoom out" onClick={() => setView(zoomed(present, 0.8, middle))}>−</button>
        <button type="button" onClick={() => setView(null)}>Fit</button>
      </div>
      <div class="graph-canvas" ref={holder} onPointerDown={onPointerDown}>
        {layout !== null && (
          <Drawing {...{ layout, view: present, size, selected, onSelect, onToggle: toggle, marked: marked ?? NONE }} />
        )}
      </div>
    </div>
  );
}

const NONE: ReadonlySet<string> = new Set();

interface DrawingProps {
  readonly layout: Layout;
  readonly view: View;
  readonly size: { readonly width: number; readonly height: number };
  readonly selected: string | null;
  readonly onSelect: (key: string) => void;
  readonly onToggle: (key: string) => void;
  readonly marked: ReadonlySet<string>;
}

function Drawing({ layout, view, size, selected, onSelect, onToggle, marked }: DrawingProps): JSX.Element {
  const right = view.x + size.width / view.zoom;
  const bottom = view.y + size.height / view.zoom;
  const boxes = layout.boxes.filter((box) =>
    box.x < right && box.x + box.width > view.x && box.y < bottom && box.y + box.height > view.y
  );
  const isPlain = boxes.length > PLAIN_FROM;
  const arrows = isPlain
    ? []
    : layout.arrows.filter(({ x1, y1, x2, y2 }) =>
      Math.min(x1, x2) < right && Math.max(x1, x2) > view.x && y1 < bottom && y2 > view.y
    );
  return (
    <svg
      width={size.width}
      height={size.height}
      viewBox={`${view.x} ${view.y} ${size.width / view.zoom} ${size.height / view.zoom}`}
      role="group"
      aria-label={`Graph of ${layout.boxes.length} shapes`}
    >
      {boxes.filter(({ isFrame }) => isFrame).map((box) => (
        <Frame key={box.shape.key} {...{ box, onToggle, onSelect, isSelected: box.shape.key === selected }} />
      ))}
      <path class="arrows" d={arrows.map(arrowPath).join("")} />
      {isPlain ? <PlainBoxes boxes={boxes} /> : boxes.filter(({ isFrame }) => !isFrame).map((box) => (
        <Node
          key={box.shape.key}
          {...{ box, onSelect, isSelected: box.shape.key === selected, isMarked: marked.has(box.shape.key) }}
        />
      ))}
    </svg>
  );
}

function Node(
  { box: { x, y, width, height, shape }, onSelect, isSelected, isMarked }: {
    readonly box: Box;
    readonly onSelect: (key: string) => void;
    readonly isSelected: boolean;
    readonly isMarked: boolean;
  },
): JSX.Element {
  const label = cut(shape.label, 20);
  const attempts = shape.attempts > 1 ? ` ×${shape.attempts}` : "";
  const detail = cut((shape.kind === "operation" ? shape.operationId ?? "" : shape.kind) + attempts, 24);
  const classes = `node is-${shape.status}${isSelected ? " selected" : ""}${isMarked ? " marked" : ""}`;
  return (
    <g
      class={classes}
      data-key={shape.key}
      tabindex={0}
      role="button"
      aria-pressed={isSelected}
      transform={`translate(${x} ${y})`}
      onClick={() => onSelect(shape.key)}
      onKeyDown={(event) =>
        (event.key === "Enter" || event.key === " ") && (event.preventDefault(), onSelect(shape.key))}
    >
      <rect width={width} height={height} rx={shape.kind === "operation" ? 8 : 24} />
      <text class="mark" aria-hidden="true" x={16} y={height / 2 + 5}>{MARKS[shape.status] ?? "•"}</text>
      <text class="label" x={34} y={20}>{label}</text>
      <text class="detail" x={34} y={37}>{detail}</text>
      <text class="unseen">{`, ${shape.status}`}</text>
    </g>
  );
}

function Frame(
  { box: { x, y, width, height, shape, depth }, onToggle, onSelect, isSelected }: {
    readonly box: Box;
    readonly onToggle: (key: string) => void;
    readonly onSelect: (key: string) => void;
    readonly isSelected: boolean;
  },
): JSX.Element {
  const repeats = shape.kind === "map" || shape.kind === "loop";
  const count = repeats && shape.bodies > 0 ? ` · ${shape.bodies} ${shape.kind === "map" ? "items" : "turns"}` : "";
  return (
    <g
      class={`frame is-${shape.status} depth-${depth % 2}${isSelected ? " selected" : ""}`}
      transform={`translate(${x} ${y})`}
    >
      <rect width={width} height={height} rx={10} />
      <g
        data-key={shape.key}
        tabindex={0}
        role="button"
        aria-pressed={isSelected}
        onClick={() => onSelect(shape.key)}
        onKeyDown={(event) => event.key === "Enter" && onSelect(shape.key)}
      >
        <rect class="handle" width={width} height={HEADER} rx={10} />
        <text class="header" x={12} y={18}>
          {cut(
            `${MARKS[shape.status] ?? ""} ${shape.kind} ${shape.label === shape.kind ? "" : shape.label}${count}`,
            width / 7.2,
          )}
        </text>
        <text class="unseen">{`, ${shape.status}`}</text>
      </g>
      {repeats && shape.bodies > 0 && (
        <g
          data-key={shape.key}
          class="fold"
          tabindex={0}
          role="button"
          aria-label={`${shape.folded === null ? "Fold" : "Unfold"} ${shape.label}`}
          aria-expanded={shape.folded === null}
          transform={`translate(${width - 26} 4)`}
          onClick={() => onToggle(shape.key)}
          onKeyDown={(event) => event.key === "Enter" && onToggle(shape.key)}
        >
          <rect width={20} height={18} rx={4} />
          <text x={10} y={14}>{shape.folded === null ? "−" : "+"}</text>
        </g>
      )}
      {shape.folded !== null && <Cells statuses={shape.folded} />}
    </g>
  );
}

/** The bodies of a folded Map: a square each, one path for each status. */
function Cells({ statuses }: { readonly statuses: readonly string[] }): JSX.Element {
  const paths = new Map<string, string>();
  statuses.slice(0, MAX_CELLS).forEach((status, at) => {
    const x = 14 + at % CELLS_PER_ROW * CELL;
    const y = HEADER + 14 + Math.floor(at / CELLS_PER_ROW) * CELL;
    paths.set(status, `${paths.get(status) ?? ""}M${x} ${y}h8v8h-8z`);
  });
  return <>{[...paths].map(([status, d]) => <path key={status} class={`cell is-${status}`} d={d} />)}</>;
}

function PlainBoxes({ boxes }: { readonly boxes: readonly Box[] }): JSX.Element {
  const paths = new Map<string, string[]>();
  for (const { x, y, width, height, shape, isFrame } of boxes) {
    if (isFrame) continue;
    const parts = paths.get(shape.status) ?? [];
    paths.set(shape.status, parts);
    parts.push(`M${x} ${y}h${width}v${height}h${-width}z`);
  }
  return (
    <>{[...paths].map(([status, parts]) => <path key={status} class={`cell is-${status}`} d={parts.join("")} />)}</>
  );
}

function arrowPath({ x1, y1, x2, y2 }: Layout["arrows"][number]): string {
  const bend = (y1 + y2) / 2;
  const head = `M${x2 - 4} ${y2 - 6}L${x2} ${y2 - 1}L${x2 + 4} ${y2 - 6}`;
  return `M${x1} ${y1}C${x1} ${bend} ${x2} ${bend} ${x2} ${y2 - 1}${head}`;
}

function fitted({ width, height }: Layout, size: { readonly width: number; readonly height: number }): View {
  const margin = 24;
  const zoom = Math.max(MIN_ZOOM, Math.min(1, (size.width - 2 * margin) / width, (size.height - 2 * margin) / height));
  return {
    zoom,
    x: width / 2 - size.width / zoom / 2,
    y: Math.min(-margin / zoom, height / 2 - size.height / zoom / 2),
  };
}

function moved({ x, y, zoom }: View, dx: number, dy: number): View {
  return { x: x + dx / zoom, y: y + dy / zoom, zoom };
}

/** Zooms so that what is under `at` (pixels of the holder) stays there. */
function zoomed({ x, y, zoom }: View, factor: number, at: { readonly x: number; readonly y: number }): View {
  const next = Math.max(MIN_ZOOM, Math.min(MAX_ZOOM, zoom * factor));
  return { zoom: next, x: x + at.x / zoom - at.x / next, y: y + at.y / zoom - at.y / next };
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(1, Math.floor(length) - 1))}…`;
}
