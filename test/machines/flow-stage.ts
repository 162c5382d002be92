/**
 * A flow under test: works that are noted and scripted, a host, and what came of it. Owns the notes; which flow it is, and
 * what must be true, is the test's.
 */
import type { AnyEventObject, AnyStateMachine } from 'xstate';
import { effect, type EffectArguments } from 'rewake';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

/** What a work does: a value, or a function that gives or throws one. */
type Script = Readonly<Record<string, (input: unknown, call: number) => unknown>>;

/** The world of one flow. */
export class FlowStage {
  readonly house = new House();
  /** Works that were begun, in order. */
  readonly done: string[] = [];
  /** What each was given, newest last. */
  readonly inputs: Record<string, unknown[]> = {};
  readonly #script: Script;

  constructor(script: Script = {}) {
    this.#script = script;
  }

  /** A logic that notes its name, and does what the script says; gives its name in capitals otherwise. */
  work(name: string) {
    return effect(({ input }: EffectArguments<unknown>) => this.#do(name, input));
  }

  /** The same as a function. */
  call(name: string) {
    return ({ input }: EffectArguments<unknown>) => this.#do(name, input);
  }

  async #do(name: string, input: unknown): Promise<unknown> {
    this.done.push(name);
    const calls = (this.inputs[name] ??= []);
    calls.push(input);
    const script = this.#script[name];
    return script ? script(input, calls.length) : name.toUpperCase();
  }

  /** Runs a flow to where it rests. */
  async run(machine: unknown, input?: unknown) {
    const runtime = await this.house.open({ work: machine as AnyStateMachine });
    const ref = (await runtime.start('work', { id: '1', input } as never)) as unknown as ActorRef;
    await rest();
    return { runtime, ref, ...(await this.seen(ref)) };
  }

  /** What came of it so far. */
  async seen(ref: ActorRef) {
    const facts = await this.house.facts('work-1');
    const snapshot = ref.getSnapshot() as { status: string; value: unknown };
    const ended =
      snapshot.status === 'active'
        ? { output: undefined, error: undefined }
        : await outcomeOf(ref.output() as Promise<unknown>);
    return { ...ended, snapshot, facts, told: facts.map(inShort) };
  }

  async send(ref: ActorRef, event: AnyEventObject) {
    await ref.send(event);
    await rest();
    return this.seen(ref);
  }
}

/** A fact in few words: its type, and whom it is about. */
function inShort(fact: Readonly<Record<string, unknown>>): string {
  const about = [
    fact.step ?? fact.handler ?? fact.phase ?? fact.subject,
    fact.by ?? fact.action ?? fact.reason ?? fact.choice,
  ];
  return [fact.type, ...about.filter((each) => typeof each === 'string')].join(' ');
}

/** A work that fails so often with this message, and then gives this. */
export function failing(times: number, message: string, output: unknown = 'at last') {
  return (_: unknown, call: number) => {
    if (call <= times) throw new Error(message);
    return output;
  };
}

/** A work that fails always. */
export function fails(message: string) {
  return failing(Infinity, message);
}
