import { describe, expect, it } from 'vitest';
import type { TraceNode } from '../../projections/correlation-trace.ts';
import { traceJson } from '../../src/inspect/trace-json.ts';

function node(id: string, caused: readonly TraceNode[] = []): TraceNode {
  return {
    id,
    type: 'EventReceived',
    stream: 'a-1',
    revision: 0,
    at: 1,
    actor: null,
    isFact: false,
    origin: { x: '"' },
    caused,
  };
}

describe('a trace as JSON', () => {
  it('is what JSON.stringify says', () => {
    const trees = [[], [node('a')], [node('a', [node('b'), node('c', [node('d')])]), node('e', [node('f')])]];
    for (const roots of trees) {
      const trace = { correlationId: 'c', streams: ['a-1'], events: 6, roots };
      expect(JSON.parse(traceJson(trace))).toEqual(trace);
    }
  });

  it('may be as deep as chains of causes are', () => {
    let deep = node('last');
    for (let level = 0; level < 50_000; level++) deep = node(`n${level}`, [deep]);
    const text = traceJson({ correlationId: 'c', streams: [], events: 0, roots: [deep] });
    expect(text.match(/"id":/g)).toHaveLength(50_001);
    expect(text.endsWith(']}]}')).toBe(true);
  });
});
