/**
 * Trees in box characters. Owns the lines between the nodes; what a node says is the caller's.
 *
 * TL1  A node with one child is followed by it on the same level: a long chain of causes does not run out of the right edge.
 */

/** A node, and what is below it. */
export interface TreeNode<T> {
  readonly value: T;
  readonly below: readonly TreeNode<T>[];
}

/** What stands before a node's text, and before further lines of it. */
export interface TreeLine<T> {
  readonly value: T;
  readonly lead: string;
  readonly further: string;
}

/** Every node with its lead, from above. @param isChain TL1; otherwise each level is indented */
export function* treeLines<T>(roots: readonly TreeNode<T>[], { isChain = false } = {}): Generator<TreeLine<T>> {
  // A chain may be longer than a stack is deep.
  const open: { readonly node: TreeNode<T>; readonly lead: string; readonly further: string }[] = roots
    .map((node) => ({ node, lead: '', further: '' }))
    .reverse();
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, lead, further } = next;
    const { below } = node;
    // Below a node that goes on there is a line to what is below it.
    const isOpen = below.length > 0 && !(isChain && below.length === 1);
    yield { value: node.value, lead, further: isOpen ? `${further}│  ` : further };
    if (isChain && below.length === 1) {
      open.push({ node: below[0]!, lead: further, further });
      continue;
    }
    for (const [at, child] of [...below.entries()].reverse()) {
      const isLast = at === below.length - 1;
      open.push({
        node: child,
        lead: `${further}${isLast ? '└─ ' : '├─ '}`,
        further: `${further}${isLast ? '   ' : '│  '}`,
      });
    }
  }
}
