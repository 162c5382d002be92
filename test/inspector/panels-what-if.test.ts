/** Other pasts: edits as they are typed (WD1), and both paths as rows (WD2). */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import {
  editOf,
  foldedRows,
  optionsOf,
  pairRows,
  partOf,
  type Draft,
  type PairRow,
} from '../../inspector/src/panels/what-if-drafts.ts';
import type { Frame, WhatIf } from '../../src/inspect/api.ts';

const draft = (more: Partial<Draft>): Draft => ({
  ...{ edit: 'drop', revision: 3, label: 'PAY', part: 'event', text: '', to: '/', after: '' },
  ...more,
});

describe('edits as they are typed', () => {
  test('WD1: an edit that is whole is what the server is asked', () => {
    expect(editOf(draft({}))).toEqual({ value: { edit: 'drop', revision: 3 } });
    expect(editOf(draft({ edit: 'replace', text: '{"type":"PAY","n":1}' }))).toEqual({
      value: { edit: 'replace', revision: 3, with: { event: { type: 'PAY', n: 1 } } },
    });
    expect(editOf(draft({ edit: 'replace', part: 'output', text: 'null' }))).toEqual({
      value: { edit: 'replace', revision: 3, with: { output: null } },
    });
    expect(editOf(draft({ edit: 'insert', text: '{"type":"GO"}', to: '/pay:3' }))).toEqual({
      value: { edit: 'insert', after: 3, event: { type: 'GO' }, to: '/pay:3' },
    });
    expect(editOf(draft({ edit: 'insert', text: '{"type":"GO"}' }))).toEqual({
      value: { edit: 'insert', after: 3, event: { type: 'GO' } },
    });
    expect(editOf(draft({ edit: 'move', after: '7' }))).toEqual({ value: { edit: 'move', revision: 3, after: 7 } });
  });

  test('WD1: one that is not says what is missing', () => {
    const complaint = (more: Partial<Draft>) => (editOf(draft(more)) as { complaint: string }).complaint;
    expect(complaint({ edit: 'replace', text: '{' })).toMatch(/^Not JSON/);
    expect(complaint({ edit: 'replace', text: '42' })).toMatch(/object with a type/);
    expect(complaint({ edit: 'insert', text: '{"type":""}' })).toMatch(/object with a type/);
    expect(complaint({ edit: 'replace', part: 'output', text: ' ' })).toMatch(/^Write JSON/);
    expect(complaint({ edit: 'move', after: '' })).toMatch(/revision/);
    expect(complaint({ edit: 'move', after: '3' })).toMatch(/revision/);
  });

  test('WD1: stubs without an answer are not sent', () => {
    const stubs = {
      charge: { outcome: 'error', text: '"declined"' },
      notify: { outcome: 'output', text: '' },
    } as const;
    expect(optionsOf([draft({})], stubs)).toEqual({
      value: { edits: [{ edit: 'drop', revision: 3 }], stubs: { charge: { error: 'declined' } } },
    });
    expect(optionsOf([], { charge: { outcome: 'output', text: '{' } })).toMatchObject({
      complaint: expect.stringContaining('charge'),
    });
  });

  test('only what brings something from outside can be given other content', () => {
    expect(partOf('EffectFailed')).toBe('error');
    expect(partOf('TimerFired')).toBeUndefined();
  });
});

const frame = (id: string, label: string, context: number): Frame => ({
  ...{
    stream: 's',
    revision: 0,
    lastRevision: 0,
    source: 'code',
    id,
    type: 'EventReceived',
    label,
    at: 0,
    recordedAt: 0,
  },
  ...{
    correlationId: '',
    causationId: '',
    to: '/',
    payload: null,
    transitions: [],
    facts: [],
    started: [],
    settled: null,
  },
  ...{ armed: [], cancelled: [], fired: null, changes: [], effects: [], timers: [], divergence: null },
  actors: [{ address: '/', id: 's', parent: null, src: null, kind: 'machine', status: 'active', value: 'a', context }],
});

describe('two paths', () => {
  const answer: WhatIf = {
    stream: 's',
    original: [frame('0', 'started', 0), frame('1', 'ADD', 1), frame('2', 'ADD', 2), frame('3', 'PAY', 2)],
    fork: [frame('a', 'started', 0), frame('b', 'ADD', 1), frame('c', 'PAY', 1), frame('d', 'NEW', 1)],
    pairs: [
      [0, 0],
      [1, 1],
      [2, -1],
      [3, 2],
      [-1, 3],
    ],
    ...{ firstDivergence: 2, unanswered: [], leftOut: [] },
  };

  test('WD2: every frame is in the rows once, with what it is to the other', () => {
    const rows = pairRows(answer);
    expect(rows.map(({ relation, isFirstDivergence }) => [relation, isFirstDivergence])).toEqual([
      ['same', false],
      ['same', false],
      ['onlyOriginal', true],
      ['differs', false],
      ['onlyFork', false],
    ]);
    expect(rows.flatMap(({ original }) => original ?? [])).toEqual(answer.original);
    expect(rows.flatMap(({ fork }) => fork ?? [])).toEqual(answer.fork);
  });

  test('paths that never part are the same all along', () => {
    const same = pairRows({
      ...answer,
      firstDivergence: -1,
      pairs: [
        [0, 0],
        [1, 1],
      ],
    });
    expect(same.map(({ relation }) => relation)).toEqual(['same', 'same']);
  });

  const relation = fc.constantFrom<PairRow['relation']>('same', 'same', 'same', 'same', 'differs', 'onlyFork');
  test.prop([fc.array(relation, { maxLength: 60 })])(
    'folding hides only what is the same, and counts it',
    (relations) => {
      const rows = relations.map((one): PairRow => ({
        ...{ original: undefined, fork: undefined, relation: one, isFirstDivergence: false },
      }));
      const folded = foldedRows(rows, new Set());
      const shown = folded.flatMap((item) => ('row' in item ? item.row : []));
      const hidden = folded.reduce((sum, item) => sum + ('same' in item ? item.same : 0), 0);
      expect(shown.length + hidden).toBe(rows.length);
      expect(shown.filter((row) => row.relation !== 'same')).toEqual(rows.filter((row) => row.relation !== 'same'));
      const opened = foldedRows(rows, new Set(folded.flatMap((item) => ('same' in item ? item.from : []))));
      expect(opened).toHaveLength(rows.length);
    },
  );
});
