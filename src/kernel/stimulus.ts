/**
 * The words the kernel is spoken to and answers in: stimuli, and what one stimulus did. Owns the closed vocabulary of
 * runtime events; holds no logic.
 *
 * Addresses: the root is `/`; a child is its parent's address, `/`, its id, `:` and its session number, which is
 * unique in the tree for ever, so that an address names one life of one actor: `/pay:3`, `/pay:3/charge:4`.
 */
import type { AnyEventObject, StateValue } from 'xstate';
import type { TimeMs } from '../clock.ts';

/** What every stimulus carries. */
export interface Cause {
  /** Id of the event that records the stimulus. */
  readonly eventId: string;
  readonly correlationId: string;
  /** What chance is drawn from, where it is not the event's id: in a fork the id of the event that was copied. */
  readonly seed?: string;
}

export interface LostEffect {
  readonly actor: string;
  /** What was decided: run it again, let it fail with an EffectLostError, or leave it until a person decides. */
  readonly decision: 'rerun' | 'fail' | 'ask';
}

/** What a running effect hands to the tree before it ends. */
export type ProgressChannel =
  /** A value of an observable. */
  | 'next'
  /** An event for the parent: a callback's sendBack, an event observable's event. */
  | 'parent'
  /** An event for the effect's own logic. */
  | 'self'
  /** A fact that the effect emitted. */
  | 'emit'
  /** A value that the effect finds again when it is run again. */
  | 'checkpoint'
  /** Its host is closing and aborts it: that it runs again says nothing against it. */
  | 'interrupted';

/** Anything that reaches an actor tree from outside its deterministic part. */
export type Stimulus =
  | { readonly type: 'ActorStarted'; readonly input: unknown }
  | { readonly type: 'EventReceived'; readonly to: string; readonly event: AnyEventObject; readonly messageId?: string }
  | { readonly type: 'EffectSucceeded'; readonly actor: string; readonly output: unknown }
  | {
      readonly type: 'EffectFailed';
      readonly actor: string;
      readonly error: unknown;
      /** True when the actor's code threw where its logic has no event for it: a custom action, or custom logic itself. */
      readonly action?: boolean;
    }
  | {
      readonly type: 'EffectProgressed';
      readonly actor: string;
      readonly channel: ProgressChannel;
      readonly value: unknown;
    }
  | { readonly type: 'TimerFired'; readonly timer: number }
  | { readonly type: 'ActorResumed'; readonly effects: readonly LostEffect[] }
  | { readonly type: 'ActorStopped' }
  | { readonly type: 'ActorRebased'; readonly state: string };

/** What one machine did with one event. */
export interface TransitionRecord {
  readonly actor: string;
  readonly event: string;
  readonly to: StateValue;
  /** Only when the machine is not active any more. */
  readonly status?: string;
}

/** An effect to start once its stimulus is durable. */
export interface IntentRecord {
  readonly actor: string;
  readonly src: string;
}

export interface TimerRecord {
  readonly timer: number;
  readonly actor: string;
  readonly id: string;
  readonly dueAt: TimeMs;
}

/** What a stimulus did to the tree, in the order it happened; recomputed by a fold and compared. */
export interface StepRecord {
  readonly transitions?: readonly TransitionRecord[];
  readonly intents?: readonly IntentRecord[];
  readonly armed?: readonly TimerRecord[];
  readonly cancelled?: readonly number[];
}

/** What stands in a tree, for who reads a log without the code of its machines. */
export interface Standing {
  /** XState's status of the root. */
  readonly status: string;
  readonly machines: readonly { readonly actor: string; readonly to: StateValue }[];
  /** Effects that have no outcome yet. */
  readonly effects: readonly IntentRecord[];
  readonly timers: readonly TimerRecord[];
}

/** A domain event that a machine or an effect emitted. */
export interface Fact {
  readonly actor: string;
  readonly event: AnyEventObject;
}
