/** Upcasters against their invariants (U1–U4) and invariant 28 of recovery: upcasting is idempotent. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { DamagedRecordError, InvalidArgumentError, NotSerializableError, UpcastError } from '../../src/errors.ts';
import { decode, encode } from '../../src/log/codec.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import type { Position, RecordedEvent } from '../../src/log/event-log.ts';
import type { Json } from '../../src/log/json.ts';
import { currentVersion, defineUpcasters, noUpcasters, renamedTo, upcast } from '../../src/log/upcast.ts';

function recorded(type: string, schemaVersion: number, data: Json): RecordedEvent {
  const sealed = sealEvent({ id: 'e1', type, schemaVersion, data: JSON.stringify(data), meta: {} });
  return { ...sealed, stream: 'order-42', revision: 7, position: '9' as Position, recordedAt: 5 };
}

const placed = defineUpcasters({
  OrderPlaced: {
    1: (data: { sum: number }) => ({ amount: data.sum }),
    2: (data: { amount: number }) => ({ ...data, currency: 'EUR' }),
  },
  OrderPlacd: { 1: renamedTo('OrderPlaced') },
  OrderMade: { 3: (data: { total: number }) => ({ amount: data.total }), 4: renamedTo('OrderPlaced', 2) },
});

describe('an event', () => {
  it.each<[string, number, Json]>([
    ['OrderPlaced', 1, { sum: 5 }],
    ['OrderPlaced', 2, { amount: 5 }],
    ['OrderPlaced', 3, { amount: 5, currency: 'EUR' }],
    ['OrderPlacd', 1, { sum: 5 }],
    ['OrderMade', 3, { total: 5 }],
    ['OrderMade', 4, { amount: 5 }],
  ])('reaches the current version from %s %i', (type, version, data) => {
    expect(upcast(recorded(type, version, data), placed)).toEqual({
      type: 'OrderPlaced',
      schemaVersion: 3,
      data: { amount: 5, currency: 'EUR' },
    });
  });

  it('of a type without upcasters is current at version 1', () => {
    expect(currentVersion('ActorStarted', placed)).toBe(1);
    expect(upcast(recorded('ActorStarted', 1, { a: 1 }), noUpcasters)).toEqual({
      type: 'ActorStarted',
      schemaVersion: 1,
      data: { a: 1 },
    });
  });

  it('is written with the version that its chain ends in', () => {
    expect(currentVersion('OrderPlaced', placed)).toBe(3);
  });

  it('stays as it is in the log (U1)', () => {
    const event = Object.freeze(recorded('OrderPlaced', 1, { sum: 5 }));
    const before = JSON.stringify(event);
    upcast(event, placed);
    expect(JSON.stringify(event)).toBe(before);
  });

  it('shows decoded values to its upcasters, and what they return is encoded (U4)', () => {
    const upcasters = defineUpcasters({
      OrderPlaced: { 1: (data: { at: Date }) => ({ at: data.at, year: BigInt(data.at.getUTCFullYear()) }) },
    });
    const { data } = upcast(recorded('OrderPlaced', 1, encode({ at: new Date(0) }, 'a value').json), upcasters);
    expect(decode(data)).toEqual({ at: new Date(0), year: 1970n });
  });

  const version = fc.integer({ min: 1, max: 4 });
  const chain = fc.record({ length: fc.integer({ min: 0, max: 4 }), first: version, from: fc.nat(4) });

  test.prop([chain, fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'))], { numRuns: 300 })(
    'upcast twice is upcast once: invariant 28 (U2)',
    ({ length, first, from }, value) => {
      const steps = Object.fromEntries(
        Array.from({ length }, (_, i) => [first + i, (data: unknown) => ({ from: first + i, data })]),
      );
      const upcasters = length === 0 ? noUpcasters : defineUpcasters({ Happened: steps });
      const current = currentVersion('Happened', upcasters);
      const once = upcast(
        recorded('Happened', Math.max(current - from, length === 0 ? 1 : first), value as Json),
        upcasters,
      );
      expect(once.schemaVersion).toBe(current);
      expect(upcast(recorded(once.type, once.schemaVersion, once.data), upcasters)).toEqual(once);
    },
  );

  test.prop([fc.jsonValue()])('that is current passes no upcaster: invariant 28 (U2)', (value) => {
    const upcasters = defineUpcasters({ Happened: { 1: () => expect.unreachable('it is current') } });
    const data = JSON.parse(JSON.stringify(value)) as Json;
    expect(upcast(recorded('Happened', 2, data), upcasters).data).toEqual(data);
  });
});

describe('an event that cannot be upcast', () => {
  const failing = defineUpcasters({
    Thrown: {
      1: () => {
        throw new RangeError('no sum');
      },
    },
    Forgotten: { 1: () => undefined },
    Promised: { 1: async () => ({}) },
    Late: { 3: (data) => data },
  });

  it.each<[string, string, number, string]>([
    ['its upcaster throws', 'Thrown', 1, "the upcaster of 'Thrown' from version 1 to 2 failed (RangeError: no sum)"],
    [
      'its upcaster returns nothing',
      'Forgotten',
      1,
      "the upcaster of 'Forgotten' from version 1 to 2 returned undefined",
    ],
    ['its upcaster is asynchronous', 'Promised', 1, 'is a promise'],
    ['it is older than the chain', 'Late', 2, "no step leads from version 2 of 'Late' to the current version 4"],
    ['it is newer than the program', 'Late', 5, "the current version of 'Late' is 4, found 5"],
    ['it is newer and there is no chain', 'Unknown', 2, 'there are no upcasters for this type'],
    ['it has no version', 'Unknown', 0, "the current version of 'Unknown' is 1, found 0"],
  ])('is an UpcastError that names the event: %s', (_, type, version, detail) => {
    const act = () => upcast(recorded(type, version, {}), failing);
    expect(act).toThrow(UpcastError);
    expect(act).toThrow(`Cannot upcast event '${type}' version ${version} at revision 7 of stream 'order-42': `);
    expect(act).toThrow(detail);
    expect(act).toThrow(
      expect.objectContaining({ stream: 'order-42', revision: 7, eventType: type, schemaVersion: version }),
    );
  });

  it('keeps the cause', () => {
    const causeOf = (type: string) => {
      try {
        return upcast(recorded(type, 1, {}), failing);
      } catch (error) {
        return (error as Error).cause;
      }
    };
    expect(causeOf('Thrown')).toEqual(new RangeError('no sum'));
    expect(causeOf('Promised')).toBeInstanceOf(NotSerializableError);
  });

  it('is a damaged record when its data is not JSON', () => {
    const event = { ...recorded('Late', 4, {}), data: '{' };
    expect(() => upcast(event, failing)).toThrow(DamagedRecordError);
  });
});

describe('a chain', () => {
  const step = (data: unknown) => data;

  it.each<[string, Parameters<typeof defineUpcasters>[0], string]>([
    ['has no steps', { A: {} }, "for 'A' has no steps"],
    ['has a gap', { A: { 1: step, 3: step } }, "for 'A' goes on at 3, expected 2"],
    ['has a step that is no function', { A: { 1: 'x' as never } }, "for 'A' has string as step 1"],
    ['has a step that is nothing', { A: { 1: undefined as never } }, "for 'A' has undefined as step 1"],
    ['has a version that is no number', { A: { v1: step } as never }, "for 'A' has a step from version NaN"],
    ['has a broken version', { A: { 1.5: step } }, "for 'A' has a step from version 1.5"],
    ['goes on after a rename', { A: { 1: renamedTo('B'), 2: step } }, "for 'A' has a step after its rename at 1"],
    [
      'is renamed to a version that is not there',
      { A: { 1: renamedTo('B', 2) } },
      "leads to 'B' version 2. There is only 1",
    ],
    [
      'is renamed below a chain',
      { A: { 1: renamedTo('B', 1) }, B: { 2: step } },
      "leads to 'B' version 1. There is only 2 to 3",
    ],
    ['is renamed to itself', { A: { 1: renamedTo('A') } }, "comes back to 'A'"],
    ['is renamed in a circle', { A: { 1: renamedTo('B') }, B: { 1: renamedTo('A') } }, "comes back to 'A'"],
    [
      'leads into a circle',
      { A: { 1: renamedTo('B') }, B: { 1: renamedTo('C') }, C: { 1: renamedTo('B') } },
      "comes back to 'B'",
    ],
  ])('is refused when it %s', (_, definitions, detail) => {
    expect(() => defineUpcasters(definitions)).toThrow(InvalidArgumentError);
    expect(() => defineUpcasters(definitions)).toThrow(detail);
  });

  it('does not change when its definition does', () => {
    const definition: Record<number, (data: unknown) => unknown> = { 1: () => 'first' };
    const upcasters = defineUpcasters({ A: definition });
    definition[1] = () => 'second';
    expect(upcast(recorded('A', 1, {}), upcasters).data).toBe('first');
  });
});
