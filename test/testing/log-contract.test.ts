/** The log contract as the author of another adapter uses it. */
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, memoryLog, VirtualClock, type EventLog } from '../../src/index.ts';
import { logContract, type ContractTarget, type LogContract } from '../../src/testing/index.ts';

/** A memory log of which some members are others. */
function changed(change: (log: EventLog) => Partial<EventLog>) {
  return (clock: VirtualClock): EventLog => {
    const log = memoryLog({ clock });
    const other = change(log);
    return new Proxy(log, {
      get: (_, key) => {
        const value: unknown = Reflect.get(key in other ? other : log, key);
        return typeof value === 'function' ? (value.bind(key in other ? other : log) as unknown) : value;
      },
    });
  };
}

/** What fails of all cases, or of these. */
async function failuresOf({ cases }: LogContract, numbers?: readonly number[]): Promise<Map<number, Error>> {
  const failures = new Map<number, Error>();
  for (const { number, run } of cases) {
    if (numbers?.includes(number) !== false) await run().catch((error: Error) => failures.set(number, error));
  }
  return failures;
}

let written = 0;

describe('the log contract', () => {
  it('needs no more than a function that creates a log', async () => {
    const contract = await logContract((clock) => memoryLog({ clock }));
    expect(contract.cases).toHaveLength(48);
    expect(contract.notApplicable.map(({ number, missing }) => [number, ...missing])).toEqual([
      ...[
        [23, 'reopen'],
        [29, 'kill'],
        [39, 'reopen'],
        [44, 'shared'],
        [46, 'reopen'],
        [48, 'faults'],
        [54, 'reopen'],
      ],
    ]);
    expect(await failuresOf(contract)).toEqual(new Map());
  });

  it('K1, K2: has every number once, applicable or not', async () => {
    const all = Array.from({ length: 55 }, (_, index) => index + 1);
    for (const features of [[], ['checks', 'reopen', 'kill']] as const) {
      const create = async () => Promise.reject(new Error('nothing is created to make a plan'));
      const { cases, notApplicable } = await logContract({ features, create });
      const numbers = [...cases, ...notApplicable].map(({ number }) => number);
      expect(numbers.toSorted((a, b) => a - b)).toEqual(all);
    }
  });

  it('creates a log for every case, which may take its time', async () => {
    const clocks = new Set<VirtualClock>();
    const { cases } = await logContract(async (clock) => {
      clocks.add(clock);
      return memoryLog({ clock });
    });
    await cases[0]!.run();
    await cases[0]!.run();
    // The first one was looked at for what it can do.
    expect(clocks.size).toBe(3);
  });

  it('reads off the fixture what a target does not say', async () => {
    const target: ContractTarget = {
      create: async () => {
        const clock = new VirtualClock();
        const kill = async () => {};
        return { clock, kill, open: async () => memoryLog({ clock }), destroy: async () => {} };
      },
    };
    const { notApplicable } = await logContract(target);
    expect(notApplicable.map(({ number }) => number)).toEqual([23, 39, 44, 46, 48, 54]);
  });

  it.each<[what: string, expected: number[], change: (log: EventLog) => Partial<EventLog>]>([
    [
      'writes a retry a second time',
      [9, 10, 28],
      (log) => ({
        append: (stream, expected, events, options) =>
          log.append(
            stream,
            expected,
            events.map((event) => ({ ...event, id: `${event.id}-${written++}` })),
            options,
          ),
      }),
    ],
    [
      'takes a stale revision',
      [4, 8],
      (log) => ({ append: (stream, _, events, options) => log.append(stream, 'any', events, options) }),
    ],
    [
      'forgets the actor head',
      [31],
      (log) => ({ append: (stream, expected, events) => log.append(stream, expected, events) }),
    ],
    [
      'leaves out what is filtered by type',
      [21],
      (log) => ({ readAll: ({ filter: _, ...options } = {}) => log.readAll(options) }),
    ],
    [
      'reads a stream forwards only',
      [17],
      (log) => ({ readStream: (stream, { backwards: _, ...options } = {}) => log.readStream(stream, options) }),
    ],
    [
      'gives every lease',
      [26],
      (log) => ({ lease: async (id, { ttlMs }) => log.lease(`${id}`, { owner: 'everybody', ttlMs }) }),
    ],
    ['is open after its end', [30], (log) => ({ head: async () => ({ state: 'absent' }), close: () => log.close() })],
    [
      'says that it is durable',
      [45],
      ({ capabilities }) => ({ capabilities: { ...capabilities, durable: 'process' } }),
    ],
    ['takes only small events', [45], ({ capabilities }) => ({ capabilities: { ...capabilities, maxEventBytes: 10 } })],
  ])('finds a log that %s, by the numbers %j', async (_, expected, change) => {
    const failures = await failuresOf(await logContract(changed(change)), expected);
    expect([...failures.keys()]).toEqual(expected);
  });

  it('fails a durable log that it cannot open again, and says what to give', async () => {
    const durable = changed(({ capabilities }) => ({ capabilities: { ...capabilities, durable: 'power' } }));
    const failures = await failuresOf(await logContract(durable));
    expect([...failures.keys()]).toEqual([45]);
    expect(failures.get(45)!.message).toContain('give a target with create() and the feature reopen');
  });

  it.each<[what: string, target: unknown, message: string]>([
    ['a log instead of a function', memoryLog(), 'logContract(target): expected a function that creates a log'],
    ['nothing', undefined, 'found undefined'],
    ['a feature that there is not', { features: ['speed'], create: async () => {} }, 'found "speed"'],
    ['a function that gives no log', () => ({}), 'expected a target that gives event logs, found an object'],
  ])('refuses %s', async (_, target, message) => {
    const refused = logContract(target as ContractTarget);
    await expect(refused).rejects.toThrow(InvalidArgumentError);
    await expect(refused).rejects.toThrow(message);
  });
});
