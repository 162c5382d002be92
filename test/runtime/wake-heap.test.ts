/** The heap of wake-ups against the obvious thing: a sorted list. */
import { describe, expect } from 'vitest';
import { fc, test } from '@fast-check/vitest';
import { WakeHeap } from '../../src/runtime/wake-heap.ts';

const command = fc.oneof(
  fc.record({ type: fc.constant('set' as const), stream: fc.nat(12), at: fc.nat(8) }),
  fc.record({ type: fc.constant('delete' as const), stream: fc.nat(12) }),
  fc.record({ type: fc.constant('pop' as const) }),
);

describe('WakeHeap', () => {
  test.prop([fc.array(command, { maxLength: 60 })])(
    'gives the earliest first, equal times by stream (W1, W2)',
    (commands) => {
      const heap = new WakeHeap();
      const model = new Map<string, number>();
      const earliest = () =>
        [...model]
          .map(([stream, at]) => ({ stream, at }))
          .sort((a, b) => a.at - b.at || (a.stream < b.stream ? -1 : 1))[0];
      for (const next of commands) {
        if (next.type === 'set') {
          heap.set(`s${next.stream}`, next.at);
          model.set(`s${next.stream}`, next.at);
        } else {
          const stream = next.type === 'delete' ? `s${next.stream}` : (heap.peek()?.stream ?? '');
          heap.delete(stream);
          model.delete(stream);
        }
        expect(heap.size).toBe(model.size);
        expect(heap.peek()).toEqual(earliest());
      }
    },
  );
});
