/** A difference, place by place: what stood there, and what stands there now, side by side. */
import { MarkSign } from './json-tree.tsx';
import type { Json } from '../../../src/inspect/api.ts';
import { Table, useCut } from './parts.tsx';
import type { Change } from './patch-marks.ts';
import { wordsOf } from './value-words.ts';

export interface ChangesTableProps {
  readonly changes: readonly Change[];
  readonly caption: string;
  /** Above the two columns of values. */
  readonly columns: readonly [from: string, to: string];
  /** False where what stood there before is not known. */
  readonly knowsBefore?: boolean;
  readonly onChoose?: (path: string) => void;
}

export function ChangesTable({ changes, caption, columns, knowsBefore = true, onChoose }: ChangesTableProps) {
  const [shown, more] = useCut(changes, 12);
  return (
    <>
      <Table class="changes" caption={caption} columns={['Place', ...columns]}>
        {shown.map((change) => (
          <tr key={change.path}>
            <th scope="row">
              <MarkSign mark={change.mark} />
              {onChoose && change.mark !== 'removed' ? (
                <button type="button" class="link mono" onClick={() => onChoose(change.path)}>
                  {change.path || 'the whole'}
                </button>
              ) : (
                <span class="mono">{change.path || 'the whole'}</span>
              )}
            </th>
            <td>
              {change.from === undefined ? (
                <span class="muted">{change.mark === 'added' || knowsBefore ? '–' : 'not known'}</span>
              ) : (
                <Inline value={change.from} />
              )}
            </td>
            <td>{change.mark === 'removed' ? <span class="muted">–</span> : <Inline value={change.to} />}</td>
          </tr>
        ))}
      </Table>
      {more}
    </>
  );
}

const inlineMax = 160;

/** A value in a few lines: what is in small objects and lists too. */
export function Inline({ value }: { readonly value: Json | undefined }) {
  const { text, tone } = wordsOf(value);
  const isOwn = tone !== 'muted';
  const whole = isOwn ? text : JSON.stringify(value);
  const isCut = whole.length > inlineMax;
  return (
    <span class={`value ${isOwn ? tone : ''} inline`} title={isCut ? whole.slice(0, 4000) : undefined}>
      {isCut ? `${whole.slice(0, inlineMax)}…` : whole}
    </span>
  );
}
