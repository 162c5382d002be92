/**
 * Effects that a script controls: promises, callbacks and observables that wait on a desk until a step acts on them.
 * Owns the open effects of one host; knows neither XState nor the host.
 *
 * E1  An effect is open from its start until its outcome, its abort or the end of the desk.
 * E2  Open effects are ordered by path, then by start: the same in every host that starts the same effects.
 * E3  Nothing answers inside the call that started or fed it: a callback's answer comes in a microtask of its own.
 */
import type { AnyEventObject, Observer, Subscribable } from 'xstate';
import { answerEvent, externalEvents } from './chart.ts';

/** Where machines find their effects. A path says where in the tree an effect belongs: `/c1/c2`. */
export interface EffectPort {
  promise(path: string, signal: AbortSignal): Promise<unknown>;
  callback(
    path: string,
    sendBack: (event: AnyEventObject) => void,
    receive: (listener: (event: AnyEventObject) => void) => void,
    answers: boolean,
  ): () => void;
  observable(path: string): Subscribable<unknown>;
  eventObservable(path: string): Subscribable<AnyEventObject>;
  /** A custom action ran. */
  custom(label: string): void;
}

/** How a step acts on an open effect; each kind makes of it what it can. */
export type EffectAct = 'value' | 'error' | 'complete';

/** An effect that is open. */
export interface EffectView {
  /** Where in the tree it belongs: `/c1/c2`. */
  readonly path: string;
  readonly kind: 'promise' | 'callback' | 'observable' | 'eventObservable';
  /** Types of the events a callback heard, the newest last. */
  readonly heard?: readonly string[];
}

interface OpenEffect {
  readonly view: EffectView;
  readonly act: (act: EffectAct, n: number) => void;
}

const heardMax = 8;

/** The effects of one host. They stay open until something acts on them. */
export class EffectDesk implements EffectPort {
  #open = new Set<OpenEffect>();
  #customs = new Map<string, number>();
  #closed = false;

  /** Open effects in order. */
  get open(): readonly EffectView[] {
    return this.#sorted().map(({ view }) => (view.heard ? { ...view, heard: [...view.heard] } : view));
  }

  /** How often each custom action ran, by label in alphabetical order. */
  get customs(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#customs].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Acts on the effect at `index` modulo the number of open ones; answers which, if there was one. */
  act(index: number, act: EffectAct, n: number): EffectView | undefined {
    const sorted = this.#sorted();
    const effect = sorted[index % sorted.length];
    effect?.act(act, n);
    return effect?.view;
  }

  /** Forgets every effect: their host has ended. */
  close(): void {
    this.#closed = true;
    this.#open.clear();
  }

  promise(path: string, signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = this.#add({ path, kind: 'promise' }, (act, n) => {
        end();
        if (act === 'error') reject(refusal(n));
        else resolve(act === 'value' ? { n } : undefined);
      });
      signal.addEventListener('abort', end);
    });
  }

  callback(
    path: string,
    sendBack: (event: AnyEventObject) => void,
    receive: (listener: (event: AnyEventObject) => void) => void,
    answers: boolean,
  ): () => void {
    const heard: string[] = [];
    receive((event) => {
      heard.push(event.type);
      if (heard.length > heardMax) heard.shift();
      if (answers) queueMicrotask(() => !this.#closed && sendBack({ type: answerEvent, n: heard.length }));
    });
    return this.#add({ path, kind: 'callback', heard }, (act, n) => sendBack(eventFor(act, n)));
  }

  observable(path: string): Subscribable<unknown> {
    return this.#subscribable({ path, kind: 'observable' }, (_, n) => ({ n }));
  }

  eventObservable(path: string): Subscribable<AnyEventObject> {
    return this.#subscribable({ path, kind: 'eventObservable' }, eventFor);
  }

  custom(label: string): void {
    this.#customs.set(label, (this.#customs.get(label) ?? 0) + 1);
  }

  #subscribable<T>(view: EffectView, make: (act: EffectAct, n: number) => T): Subscribable<T> {
    return {
      subscribe: (observer: Observer<T> | ((value: T) => void)) => {
        if (typeof observer === 'function') return this.#subscribable(view, make).subscribe({ next: observer });
        const end = this.#add(view, (act, n) => {
          if (act === 'value') return observer.next?.(make(act, n));
          end();
          if (act === 'error') observer.error?.(refusal(n));
          else observer.complete?.();
        });
        return { unsubscribe: end };
      },
    };
  }

  #add(view: EffectView, act: OpenEffect['act']): () => void {
    const effect = { view, act };
    if (!this.#closed) this.#open.add(effect);
    return () => void this.#open.delete(effect);
  }

  #sorted(): OpenEffect[] {
    return [...this.#open].sort((a, b) => (a.view.path < b.view.path ? -1 : a.view.path > b.view.path ? 1 : 0));
  }
}

/** Errors and, whatever their type says, bare strings: both are thrown in the wild. */
function refusal(n: number): Error {
  return n % 3 === 2 ? (`refused ${n}` as unknown as Error) : new Error(`refused ${n}`);
}

function eventFor(act: EffectAct, n: number): AnyEventObject {
  const type = act === 'value' ? externalEvents[n % externalEvents.length]! : act === 'error' ? 'a.x' : 'b.y';
  return { type, n };
}
