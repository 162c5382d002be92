/**
 * Finds machine code that reads the clock or chance by itself. Owns the temporary watch over Date, performance,
 * Math.random and crypto; used only to explain a divergence and in strict mode, never on the hot path.
 *
 * P1  The globals are watched only while the given synchronous function runs, and put back whatever it does.
 * P2  A read is reported by name and place: `Date.now() read in isLate (order-machine.ts:12)`.
 */
import { webcrypto } from 'node:crypto';

interface Watched {
  readonly owner: object;
  readonly key: string;
  readonly label: string;
}

const watched: readonly Watched[] = [
  { owner: Date, key: 'now', label: 'Date.now()' },
  { owner: Math, key: 'random', label: 'Math.random()' },
  { owner: performance, key: 'now', label: 'performance.now()' },
  { owner: webcrypto, key: 'randomUUID', label: 'crypto.randomUUID()' },
  { owner: webcrypto, key: 'getRandomValues', label: 'crypto.getRandomValues()' },
];

/** Runs `fn` and adds each distinct read of the clock or chance to `found`. */
export function watchImpurity<T>(found: string[], fn: () => T): T {
  const report = (label: string) => {
    const read = `${label} read in ${caller()}`;
    if (!found.includes(read)) found.push(read);
  };
  const restore = watched.map(({ owner, key, label }) => {
    const own = Object.getOwnPropertyDescriptor(owner, key);
    const original = (owner as Record<string, (...args: unknown[]) => unknown>)[key]!;
    Object.defineProperty(owner, key, {
      configurable: true,
      writable: true,
      value: (...args: unknown[]) => {
        report(label);
        return original.apply(owner, args);
      },
    });
    return () => (own ? Object.defineProperty(owner, key, own) : Reflect.deleteProperty(owner, key));
  });
  const RealDate = globalThis.Date;
  globalThis.Date = new Proxy(RealDate, {
    construct(target, args, newTarget) {
      if (args.length === 0) report('new Date()');
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  try {
    return fn();
  } finally {
    globalThis.Date = RealDate;
    for (const undo of restore) undo();
  }
}

/** The innermost frame that belongs neither to xstate nor to this watch. */
function caller(): string {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  const frame = frames.find((line) => !line.includes('impurity.') && !line.includes('/node_modules/xstate/'));
  const match = /at (?:(?:Object|Array|Function)\.)?(?:(.+?) \()?(?:.*[\\/])?([^\\/()]+:\d+):\d+\)?$/.exec(frame ?? '');
  return match ? `${match[1] ?? 'an unnamed function'} (${match[2]})` : 'an unknown place';
}
