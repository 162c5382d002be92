/** What the compiler knows of a flow: the results of the steps that a step needs, the item of a list, the output. */
import { expectTypeOf, it } from 'vitest';
import type { InputFrom, OutputFrom } from 'xstate';
import { effect, type EffectArguments } from 'rewake';
import { flow } from '../../machines/flow.ts';
import { type } from '../../machines/flow-options.ts';
import { handler } from '../../machines/handler.ts';
import { fallback, intervene, retry, skip } from '../../machines/recovery-actions.ts';
import { step } from '../../machines/step.ts';

interface Order {
  readonly sku: string;
  readonly amount: number;
}

const reserve = effect(async ({ input }: EffectArguments<string>) => ({ shelf: input.length }));
const charge = step('charge', ({ input }: EffectArguments<{ amount: number }>) => `paid ${input.amount}`, { retry: 2 });

const order = flow('order', {
  input: type<Order>(),
  steps: {
    reserve: {
      run: reserve,
      input: ({ input }) => input.sku,
      undo: ({ input: { input, result } }) => [input.toUpperCase(), result.shelf],
    },
    charge: {
      run: charge,
      needs: ['reserve'],
      when: ({ input, results }) => input.amount > results.reserve.shelf,
      input: ({ input }) => ({ amount: input.amount }),
    },
    lines: { run: ({ input }: EffectArguments<Order>) => [{ line: input.sku }] },
    print: {
      run: ({ input }: EffectArguments<string>) => input.length,
      forEach: 'lines',
      needs: ['charge'],
      input: ({ item, results }) => {
        expectTypeOf(item).toEqualTypeOf<{ line: string }>();
        expectTypeOf(results.lines).toEqualTypeOf<{ line: string }[]>();
        expectTypeOf(results.charge).toEqualTypeOf<string>();
        expectTypeOf(results.reserve).toEqualTypeOf<{ shelf: number } | undefined>();
        return item.line;
      },
      undo: ({ input }) => {
        expectTypeOf(input).toEqualTypeOf<{ readonly input: readonly string[]; readonly result: readonly number[] }>();
      },
    },
  },
  output: ({ results }) => ({ receipt: results.charge, pages: results.print }),
});

it('its input and output are known', () => {
  expectTypeOf<InputFrom<typeof order>>().toEqualTypeOf<Order>();
  expectTypeOf<OutputFrom<typeof order>>().toEqualTypeOf<{ receipt: string; pages: readonly number[] }>();
});

it('without an output it gives the results, and a step of another flow has its types', () => {
  const outer = flow('outer', {
    input: type<Order>(),
    steps: {
      order: { run: order },
      count: {
        run: ({ input }: EffectArguments<number>) => input + 1,
        needs: ['order'],
        input: ({ results }) => results.order.pages.length,
      },
    },
  });
  type Output = OutputFrom<typeof outer>;
  expectTypeOf<Output['order']>().toEqualTypeOf<{ receipt: string; pages: readonly number[] }>();
  expectTypeOf<Output['count']>().toEqualTypeOf<number>();
});

it('what handlers of a step put in the place of its result is known, too', () => {
  const machine = flow('handled', {
    input: type<number>(),
    steps: {
      a: {
        run: ({ input }: EffectArguments<number>) => input,
        onFailure: [
          handler({ id: 'skips', then: skip('nothing') }),
          handler({ id: 'again', then: retry() }),
          handler({
            id: 'other',
            when: (error) => error instanceof RangeError,
            then: fallback(effect(async () => true)),
          }),
          handler({ id: 'asks', then: intervene('What now?', { again: retry(), without: skip(null) }) }),
        ],
      },
      b: {
        run: ({ input }: EffectArguments<string>) => input,
        needs: ['a'],
        input: ({ results }) => {
          expectTypeOf(results.a).toEqualTypeOf<number | 'nothing' | boolean | null>();
          return String(results.a);
        },
      },
    },
  });
  expectTypeOf<OutputFrom<typeof machine>['b']>().toEqualTypeOf<string>();
});

it('what does not fit does not compile', () => {
  const define = () => {
    flow('wrong', {
      input: type<Order>(),
      steps: {
        reserve: { run: reserve, input: ({ input }) => input.sku },
        // @ts-expect-error there is no such step
        charge: { run: charge, needs: ['reserv'], input: () => ({ amount: 1 }) },
      },
    });
    flow('wrong', {
      input: type<Order>(),
      steps: {
        reserve: { run: reserve, input: ({ input }) => input.sku },
        // @ts-expect-error the result is no number
        charge: { run: charge, needs: ['reserve'], input: ({ results }) => ({ amount: results.reserve }) },
      },
    });
    flow('wrong', {
      steps: {
        reserve: { run: reserve, input: () => 'x' },
        // @ts-expect-error it may not be there yet: the step does not need it
        charge: { run: charge, input: ({ results }) => ({ amount: results.reserve.shelf }) },
      },
    });
    flow('wrong', {
      input: type<Order>(),
      // @ts-expect-error the input of the flow has no such field
      steps: { reserve: { run: reserve, input: ({ input }) => input.colour } },
    });
    // @ts-expect-error there is no such step to put into a phase
    flow('wrong', { steps: { reserve: { run: reserve } }, phases: [{ id: 'p', steps: ['x'] }] });
    // @ts-expect-error a function says what it is given
    flow('wrong', { steps: { a: { run: ({ input }) => input.length } } });
  };
  expectTypeOf(define).toBeFunction();
});
