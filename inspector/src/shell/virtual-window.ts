/**
 * Which rows of a long list are drawn, and where. Owns the maths; a row has one height, so nothing is measured.
 *
 * VW1  The rows in sight are always among those that are drawn.
 * VW2  A list may be taller than a browser can make an element: then its scrollbar moves more rows per pixel, and its first
 *      and last row can still be reached.
 */
export interface ListShape {
  readonly count: number;
  readonly rowHeight: number;
  /** Height of what is in sight, in px. */
  readonly viewport: number;
  /** Of an element, in px; browsers stop at about 16 million. */
  readonly heightMax?: number;
}

export interface VirtualWindow {
  /** Of the first row that is drawn, and behind the last. */
  readonly from: number;
  readonly to: number;
  /** Where the first drawn row stands, in px from the top of the list's content. */
  readonly offset: number;
  /** Of the list's content, in px. */
  readonly height: number;
}

const defaultHeightMax = 8_000_000;

/** @param overscan rows that are drawn above and below what is in sight */
export function windowAt(shape: ListShape, scrollTop: number, overscan = 8): VirtualWindow {
  const { count, rowHeight, viewport } = shape;
  const height = heightOf(shape);
  const top = rowsTopAt(shape, scrollTop);
  const first = Math.min(Math.max(0, Math.floor(top / rowHeight)), Math.max(0, count - 1));
  const from = Math.max(0, first - overscan);
  const to = Math.min(count, Math.ceil((top + viewport) / rowHeight) + overscan);
  const clamped = Math.max(0, Math.min(scrollTop, height - viewport));
  return { from, to: Math.max(from, to), offset: clamped - top + from * rowHeight, height };
}

/** Where to scroll to so that a row is wholly in sight: as little as possible, or to the middle where it was out of sight. */
export function scrollTopFor(shape: ListShape, index: number, scrollTop: number): number {
  const { rowHeight, viewport } = shape;
  const top = rowsTopAt(shape, scrollTop);
  const row = index * rowHeight;
  if (row >= top && row + rowHeight <= top + viewport) return scrollTop;
  const isNear = row >= top - 3 * rowHeight && row <= top + viewport + 2 * rowHeight;
  const wanted = !isNear ? row - (viewport - rowHeight) / 2 : row < top ? row : row + rowHeight - viewport;
  return scrollTopOf(shape, wanted);
}

function heightOf({ count, rowHeight, heightMax = defaultHeightMax }: ListShape): number {
  return Math.min(count * rowHeight, heightMax);
}

/** Px of the list for one px of the scrollbar: 1, unless the list is too tall. */
function stretchOf(shape: ListShape): number {
  const reach = heightOf(shape) - shape.viewport;
  return reach <= 0 ? 1 : (shape.count * shape.rowHeight - shape.viewport) / reach;
}

function rowsTopAt(shape: ListShape, scrollTop: number): number {
  const reach = Math.max(0, heightOf(shape) - shape.viewport);
  return Math.min(Math.max(0, scrollTop), reach) * stretchOf(shape);
}

function scrollTopOf(shape: ListShape, rowsTop: number): number {
  const reach = Math.max(0, shape.count * shape.rowHeight - shape.viewport);
  return Math.min(Math.max(0, rowsTop), reach) / stretchOf(shape);
}
