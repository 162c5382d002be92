/**
 * A trace as JSON text. Owns the writing: chains of causes are thousands deep, and JSON.stringify follows them on the stack.
 *
 * TJ1  The text is that which JSON.stringify would write, had it the room.
 */
import type { CorrelationTrace, TraceNode } from '../../projections/correlation-trace.ts';

export function traceJson({ roots, ...rest }: CorrelationTrace): string {
  const head = JSON.stringify(rest).slice(0, -1);
  return `${head},"roots":${nodesJson(roots)}}`;
}

function nodesJson(roots: readonly TraceNode[]): string {
  const parts: string[] = ['['];
  /** Lists that are open, each with the place of the node that is next. */
  const open: { readonly nodes: readonly TraceNode[]; next: number }[] = [{ nodes: roots, next: 0 }];
  for (let list = open.at(-1); list; list = open.at(-1)) {
    const node = list.nodes[list.next];
    if (!node) {
      open.pop();
      // Behind the last list there is no node to be closed.
      parts.push(open.length > 0 ? ']}' : ']');
      continue;
    }
    if (list.next++ > 0) parts.push(',');
    const { caused, ...fields } = node;
    parts.push(JSON.stringify(fields).slice(0, -1), ',"caused":[');
    open.push({ nodes: caused, next: 0 });
  }
  return parts.join('');
}
