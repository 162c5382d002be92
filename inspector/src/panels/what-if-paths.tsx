/**
 * Two pasts beside each other. Owns how rows are paired on the page; which frames belong together is the server's answer.
 *
 * WQ1  The first difference is marked with a word and brought into sight when an answer comes.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Frame, WhatIf } from '../../../src/inspect/api.ts';
import { ChangesTable } from './changes-table.tsx';
import { Table, Tag, useCut } from './parts.tsx';
import { differenceOf } from './json-difference.ts';
import { stateWords } from '../stream/state-words.ts';
import { foldedRows, pairRows, type PairRow } from './what-if-drafts.ts';

type Look = readonly [sign: string, tone: string, words: string];

const relations: { readonly [relation in PairRow['relation']]: Look } = {
  same: ['=', 'muted', 'the same'],
  differs: ['≠', 'warn', 'differs'],
  onlyOriginal: ['−', 'bad', 'only in the original'],
  onlyFork: ['+', 'ok', 'only in the fork'],
};

export function WhatIfPaths({ answer }: { readonly answer: WhatIf }) {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [chosen, setChosen] = useState<PairRow | undefined>();
  const divergence = useRef<HTMLTableRowElement>(null);
  const rows = useMemo(() => pairRows(answer), [answer]);
  const folded = useMemo(() => foldedRows(rows, open), [rows, open]);
  const [shown, more] = useCut(folded, 300);
  useEffect(() => {
    setOpen(new Set());
    setChosen(undefined);
    divergence.current?.scrollIntoView({ block: 'nearest' });
  }, [answer]);
  return (
    <section aria-labelledby="what-if-paths">
      <h4 id="what-if-paths">Both paths</h4>
      <p role="status">
        {answer.firstDivergence < 0 ? 'Both paths are the same.' : summary(rows)}
        {answer.leftOut.length > 0
          ? ` Left out, for they reached nobody: revision ${answer.leftOut.slice(0, 20).join(', ')}${answer.leftOut.length > 20 ? ', …' : ''}.`
          : ''}
      </p>
      <Table class="paths" caption="Both paths, frame beside frame" columns={['Original', '', 'Fork']}>
        {shown.map((item) =>
          'same' in item ? (
            <tr key={`same ${item.from}`} class="paths-fold">
              <td colSpan={3}>
                <button type="button" class="link" onClick={() => setOpen(new Set(open).add(item.from))}>
                  {item.same} frames are the same
                </button>
              </td>
            </tr>
          ) : (
            <Pair
              key={`${item.row.original?.id} ${item.row.fork?.id}`}
              row={item.row}
              place={item.row.isFirstDivergence ? divergence : null}
              isOpen={chosen === item.row}
              onPress={() => setChosen(chosen === item.row ? undefined : item.row)}
            />
          ),
        )}
      </Table>
      {more}
    </section>
  );
}

function summary(rows: readonly PairRow[]): string {
  const first = rows.find(({ isFirstDivergence }) => isFirstDivergence);
  const at = first?.original ?? first?.fork;
  const count = rows.filter(({ relation }) => relation !== 'same').length;
  return `They part at ${at?.label ?? 'the end'}; ${count} ${count === 1 ? 'frame differs' : 'frames differ'}.`;
}

interface PairProps {
  readonly row: PairRow;
  readonly place: { current: HTMLTableRowElement | null } | null;
  readonly isOpen: boolean;
  readonly onPress: () => void;
}

function Pair({ row, place, isOpen, onPress }: PairProps) {
  const [sign, tone, word] = relations[row.relation];
  return (
    <>
      <tr ref={place} class={`pair pair-${row.relation} ${row.isFirstDivergence ? 'is-first' : ''}`} onClick={onPress}>
        <td>
          <Side frame={row.original} />
        </td>
        <td class={`relation ${tone}`}>
          <button
            type="button"
            class="link"
            aria-expanded={isOpen}
            title={word}
            aria-label={`${word}: compare`}
            onClick={(event) => {
              event.stopPropagation();
              onPress();
            }}
          >
            {sign}
          </button>
        </td>
        <td>
          <Side frame={row.fork} />
          {row.isFirstDivergence ? <Tag tone="warn">first difference</Tag> : null}
        </td>
      </tr>
      {isOpen ? (
        <tr class="pair-detail">
          <td colSpan={3}>
            <Comparison row={row} />
          </td>
        </tr>
      ) : null}
    </>
  );
}

function Side({ frame }: { readonly frame: Frame | undefined }) {
  if (!frame) return <span class="muted">–</span>;
  return (
    <>
      <span class="revision">{frame.revision}</span> {frame.label} <span class="mono muted">{rootState(frame)}</span>
    </>
  );
}

function rootState({ actors }: Frame): string {
  const [root] = actors;
  return root ? (root.status === 'active' ? stateWords(root.value) : `${stateWords(root.value)} (${root.status})`) : '';
}

/** Both states, and how the contexts differ, actor by actor. */
function Comparison({ row: { original, fork } }: { readonly row: PairRow }) {
  const known = (frame: Frame | undefined) =>
    new Map(frame?.actors.filter(({ kind }) => kind === 'machine').map((actor) => [actor.address, actor]));
  const [was, is] = [known(original), known(fork)];
  const addresses = [...new Set([...was.keys(), ...is.keys()])];
  const payloads = differenceOf(original?.payload, fork?.payload);
  return (
    <>
      {original && fork && payloads.length > 0 ? (
        <>
          <h5>What it brought</h5>
          <ChangesTable changes={payloads} caption="Payloads" columns={['Original', 'Fork']} />
        </>
      ) : null}
      {addresses.map((address) => {
        const [left, right] = [was.get(address), is.get(address)];
        const changes = left && right ? differenceOf(left.context, right.context) : [];
        const state = (actor: typeof left) => (actor ? stateWords(actor.value) : 'not there');
        return (
          <div key={address} class="comparison">
            <p>
              <code>{address}</code> <span class="mono">{state(left)}</span>
              {state(left) === state(right) ? (
                <span class="muted"> in both</span>
              ) : (
                <>
                  {' '}
                  <span aria-hidden>↔</span>
                  <span class="hidden-label"> in the fork </span> <span class="mono">{state(right)}</span>
                </>
              )}
            </p>
            {changes.length > 0 ? (
              <ChangesTable changes={changes} caption={`Context of ${address}`} columns={['Original', 'Fork']} />
            ) : left && right ? (
              <p class="muted">Its context is the same in both.</p>
            ) : null}
          </div>
        );
      })}
    </>
  );
}
