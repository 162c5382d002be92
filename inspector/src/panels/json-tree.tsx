/**
 * A value as a tree, with what was changed in it marked. Owns how a value looks.
 *
 * JT1  A mark is a sign, a word for who cannot see it, and a colour.
 */
import { useMemo } from 'preact/hooks';
import type { Json } from '../../../src/inspect/api.ts';
import { noMarks, type Mark, type Marks } from './patch-marks.ts';
import { rowsOf, type TreeSource } from './tree-rows.ts';
import { useOpenTree } from './tree-state.ts';
import { childCount, childrenOf, wordsOf, type Child } from './value-words.ts';
import { VirtualTree } from './virtual-tree.tsx';

export interface JsonTreeProps {
  readonly id: string;
  readonly label: string;
  readonly value: Json;
  /** What the whole is called. */
  readonly name: string;
  readonly marks?: Marks;
  readonly chosen?: string | undefined;
  readonly onChoose?: (path: string) => void;
}

interface Item extends Child {
  readonly isGone?: boolean;
}

type Look = readonly [sign: string, tone: string, words: string];

const looks: { readonly [mark in Mark]: Look } = {
  added: ['+', 'ok', 'added'],
  changed: ['~', 'warn', 'changed'],
  removed: ['−', 'bad', 'removed'],
  within: ['·', 'warn', 'changed inside'],
};

export function MarkSign({ mark }: { readonly mark: Mark | undefined }) {
  if (!mark) return <span class="mark" aria-hidden />;
  const [sign, tone, words] = looks[mark];
  return (
    <span class={`mark ${tone}`} title={words}>
      <span aria-hidden>{sign}</span>
      <span class="hidden-label">{words}: </span>
    </span>
  );
}

function ValueText({ value }: { readonly value: Json | undefined }) {
  const { text, tone } = wordsOf(value);
  return <span class={`value ${tone}`}>{text.length > 400 ? `${text.slice(0, 400)}…` : text}</span>;
}

export function JsonTree({ id, label, value, name, marks = noMarks, chosen, onChoose }: JsonTreeProps) {
  const tree = useOpenTree();
  const rows = useMemo(() => {
    const source: TreeSource<Item> = {
      key: ({ path, isGone }) => (isGone ? `${path} gone` : path),
      count: ({ path, value: inside, isGone }) =>
        childCount(inside) + (isGone ? 0 : (marks.removed.get(path)?.length ?? 0)),
      children({ path, value: inside, isGone }, limit) {
        const children: readonly Item[] = childrenOf(inside, path, limit).map((child) =>
          isGone ? { ...child, isGone } : child,
        );
        const gone = isGone ? undefined : marks.removed.get(path);
        return gone ? [...gone.map((child) => ({ ...child, isGone: true })), ...children].slice(0, limit) : children;
      },
    };
    const isSmall = childCount(value) <= 30;
    const opensAtFirst = (level: number, item: Item) =>
      level === 1 || marks.of.get(item.path) === 'within' || (isSmall && level <= 3 && childCount(item.value) <= 12);
    return rowsOf([{ name, path: '', value }], source, tree, { opensAtFirst });
  }, [value, name, marks, tree]);
  return (
    <VirtualTree
      id={id}
      label={label}
      rows={rows}
      rowHeight={22}
      chosen={chosen}
      onToggle={tree.toggle}
      onMore={tree.more}
      onChoose={(row) => (onChoose && !row.item.isGone ? onChoose(row.item.path) : tree.toggle(row, !row.isOpen))}
      rowClass={({ item }) => (item.isGone ? 'is-gone' : '')}
    >
      {({ item }) => (
        <>
          {marks === noMarks ? null : <MarkSign mark={item.isGone ? 'removed' : marks.of.get(item.path)} />}
          <span class="key">{item.name}</span>
          <ValueText value={item.value} />
        </>
      )}
    </VirtualTree>
  );
}
