/** The envelope against its invariants (E1–E4). */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { DamagedRecordError, InvalidArgumentError } from '../../src/errors.ts';
import { isIntactText, sealEvent, sealText, verifyEvent } from '../../src/log/envelope.ts';
import type { NewEvent, Position, RecordedEvent } from '../../src/log/event-log.ts';

const unsealed = {
  id: '019b76da-a800-7000-8000-000000000001',
  type: 'EventReceived',
  schemaVersion: 1,
  data: '{"to":"/","event":{"type":"GO"}}',
  meta: { $correlationId: 'c', $causationId: 'd', actor: '/' },
};

function recorded(event: NewEvent): RecordedEvent {
  return { ...event, stream: 'order-42', revision: 7, position: '9' as Position, recordedAt: 5 };
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\0'));
const event = fc.record({
  id: text,
  type: text,
  schemaVersion: fc.nat(),
  data: text,
  meta: fc.dictionary(text, text, { maxKeys: 6, noNullPrototype: true }),
});

describe('a sealed event', () => {
  it('has a checksum that never changes', () => {
    expect(sealEvent(unsealed).checksum).toBe(2996299522);
    expect(sealEvent({ ...unsealed, data: '{"name":"Zoë 😀"}', meta: {} }).checksum).toBe(3238324246);
    expect(sealEvent(unsealed, { stream: 'order-42', revision: 7 }).checksum).toBe(2776683458);
  });

  test.prop([event])('is intact wherever and in whatever order of metadata a store keeps it (E1, E3)', (value) => {
    const sealed = sealEvent(value);
    const meta = Object.fromEntries(Object.entries(sealed.meta).reverse());
    const stored = JSON.parse(JSON.stringify({ ...recorded({ ...sealed, meta }) })) as RecordedEvent;
    expect(() => verifyEvent(stored)).not.toThrow();
  });

  test.prop([event, event])('shares its checksum with no different event (E2)', (a, b) => {
    const isSame = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
    expect(sealEvent(a).checksum === sealEvent(b).checksum).toBe(isSame);
  });

  const shiftable = fc.string({ unit: fc.constantFrom('1', ' ', 'a'), maxLength: 6 });
  test.prop([shiftable, shiftable, shiftable, fc.nat(18)], { numRuns: 500 })(
    'shows when text moves from one part to the next (E2)',
    (id, type, data, at) => {
      const whole = id + type + data;
      const moved = { id: whole.slice(0, at), type: whole.slice(at, at + 2), data: whole.slice(at + 2) };
      const isSame = moved.id === id && moved.type === type;
      const sealed = sealEvent({ ...unsealed, id, type, data });
      expect(sealEvent({ ...unsealed, ...moved }).checksum === sealed.checksum).toBe(isSame);
    },
  );

  it.each<[string, Partial<NewEvent>]>([
    ['id', { id: '019b76da-a800-7000-8000-000000000002' }],
    ['type', { type: 'EventReceivee' }],
    ['schema version', { schemaVersion: 2 }],
    ['data', { data: '{"to":"/","event":{"type":"NO"}}' }],
    ['a metadata value', { meta: { ...unsealed.meta, actor: '/x' } }],
    ['a lost metadata key', { meta: { $correlationId: 'c', $causationId: 'd' } }],
    ['a metadata key too many', { meta: { ...unsealed.meta, host: '' } }],
    ['swapped metadata', { meta: { ...unsealed.meta, $correlationId: 'd', $causationId: 'c' } }],
    ['the checksum', { checksum: 1 }],
  ])('is damaged when something else comes back: %s', (_, change) => {
    const damaged = recorded({ ...sealEvent(unsealed), ...change });
    expect(() => verifyEvent(damaged)).toThrow(DamagedRecordError);
    expect(() => verifyEvent(damaged)).toThrow(
      /^Stream 'order-42' is damaged at revision 7: event 'E.+ was sealed with/,
    );
  });

  test.prop([fc.nat(), fc.integer({ min: 0, max: 6 })])('is damaged when one bit of its data turns', (at, bit) => {
    const index = at % unsealed.data.length;
    const turned = String.fromCharCode(unsealed.data.charCodeAt(index) ^ (1 << bit));
    const data = unsealed.data.slice(0, index) + turned + unsealed.data.slice(index + 1);
    expect(() => verifyEvent(recorded({ ...sealEvent(unsealed), data }))).toThrow(DamagedRecordError);
  });

  it('does not take fields that are not its own', () => {
    expect(sealEvent({ ...unsealed, stream: 'x' } as typeof unsealed)).not.toHaveProperty('stream');
  });

  it.each<[string, Partial<NewEvent>]>([
    ['its type', { type: 'Order\0Placed' }],
    ['its type', { type: 'half\ud800' }],
    ["its metadata 'actor'", { meta: { actor: '/\udc00' } }],
    ['its a metadata key', { meta: { 'a\0b': '' } }],
  ])('is refused when stores cannot keep %s', (part, change) => {
    expect(() => sealEvent({ ...unsealed, ...change })).toThrow(InvalidArgumentError);
    expect(() => sealEvent({ ...unsealed, ...change })).toThrow(`surrogate pair in ${part} (`);
  });
});

describe('an event that was sealed for a place', () => {
  const place = fc.record({ stream: fc.constantFrom('order-1', 'order-12', 'order-2'), revision: fc.nat(2) });

  test.prop([event, place, place])('is intact there and nowhere else (E4)', (value, sealedFor, found) => {
    const stored = { ...sealEvent(value, sealedFor), ...found, position: '9' as Position, recordedAt: 5 };
    const isThere = sealedFor.stream === found.stream && sealedFor.revision === found.revision;
    if (isThere) expect(() => verifyEvent(stored)).not.toThrow();
    else expect(() => verifyEvent(stored)).toThrow(DamagedRecordError);
  });

  const shiftable = fc.string({ unit: fc.constantFrom('1', ' ', 'a', '@'), maxLength: 6 });
  test.prop([shiftable, shiftable, fc.nat(12)], { numRuns: 500 })(
    'shows when text moves from the name of the stream to the id (E2)',
    (stream, id, at) => {
      const whole = stream + id;
      const moved = { stream: whole.slice(0, at), id: whole.slice(at) };
      const sealed = sealEvent({ ...unsealed, id }, { stream, revision: 1 });
      const other = sealEvent({ ...unsealed, id: moved.id }, { stream: moved.stream, revision: 1 });
      expect(other.checksum === sealed.checksum).toBe(moved.stream === stream);
    },
  );
});

describe('a sealed text', () => {
  test.prop([text, text])('is intact exactly when it is the same text', (a, b) => {
    expect(isIntactText(a, sealText(a))).toBe(true);
    expect(isIntactText(b, sealText(a))).toBe(a === b);
  });
});

function sorted(value: Omit<NewEvent, 'checksum'>): unknown {
  const { id, type, schemaVersion, data, meta } = value;
  return [id, type, schemaVersion, data, Object.entries(meta).sort(([a], [b]) => (a < b ? -1 : 1))];
}
