/** Names of streams against their invariant (N1). */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../src/errors.ts';
import { readStreamName, streamName } from '../../src/log/stream-name.ts';

const machine = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.]{0,20}$/);
const id = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }).filter((value) => !/\p{Cc}/u.test(value));

describe('a stream name', () => {
  test.prop([machine, id])('gives machine and id back (N1)', (machineName, actorId) => {
    expect(readStreamName(streamName(machineName, actorId))).toEqual({ machine: machineName, id: actorId });
  });

  it('divides at the first hyphen', () => {
    expect(readStreamName('order.v2-2026-10-17')).toEqual({ machine: 'order.v2', id: '2026-10-17' });
  });

  it.each([
    ['order-line', '"order-line"'],
    ['', '""'],
    ['1st', '"1st"'],
    ['ordre é', '"ordre é"'],
    ['a\n', '"a\\n"'],
    [undefined as unknown as string, 'undefined'],
    [null as unknown as string, 'null'],
  ])('is refused with the machine name that was found: %j', (name, found) => {
    expect(() => streamName(name, '1')).toThrow(InvalidArgumentError);
    expect(() => streamName(name, '1')).toThrow(`found ${found}.`);
  });

  it.each([
    ['', 'an empty string'],
    ['x'.repeat(201), '201 characters'],
    ['a\u0000b', 'an unprintable character in "a\\u0000b"'],
    ['a\u0085', 'an unprintable character in "a\u0085"'],
    ['half\ud800', 'an unprintable character in "half\\ud800"'],
    [7 as unknown as string, 'number'],
  ])('is refused with what is wrong with the id: %j', (actorId, found) => {
    expect(() => streamName('order', actorId)).toThrow(InvalidArgumentError);
    expect(() => streamName('order', actorId)).toThrow(`found ${found}.`);
  });

  it('takes an id of 200 characters', () => {
    expect(streamName('order', 'x'.repeat(200))).toHaveLength(206);
  });

  it.each([
    ['order', '"order"'],
    ['', '""'],
    ['-1', '""'],
    ['order-', 'an empty string'],
    ['$settings-1', '"$settings"'],
    [7 as unknown as string, 'number'],
  ])('that is no actor stream is refused when read: %j', (stream, found) => {
    expect(() => readStreamName(stream)).toThrow(InvalidArgumentError);
    expect(() => readStreamName(stream)).toThrow(`found ${found}.`);
  });
});
