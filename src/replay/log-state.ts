/**
 * How a tree stands, by what the log says of it. Owns the shape of that state; how an entry changes it is log-fold.ts's.
 *
 * LS1  A state is never changed: what an entry leaves as it was is shared, so that keeping many of them costs little.
 */
import type { TimeMs } from '../clock.ts';
import type { MachineChart } from '../kernel/chart.ts';
import type { TimerRecord } from '../kernel/stimulus.ts';
import type { Revision } from '../log/event-log.ts';
import type { FrameActor, FrameEffect } from './frame.ts';

/** An effect as it is followed: with what its restarts are counted by. */
export interface FollowedEffect extends FrameEffect {
  readonly interrupted: boolean;
  /** Path of the state that XState has named it after, because it invokes it; undefined where a person gave it a name. */
  readonly invoker: string | undefined;
  /** Whether nobody stops it any more: another one was spawned under its name, or its parent has failed. */
  readonly isOrphan: boolean;
}

/** LS1. */
export interface LogState {
  readonly at: TimeMs;
  /** Hash of the definition in force. */
  readonly definition: string;
  readonly actors: ReadonlyMap<string, FrameActor>;
  readonly effects: ReadonlyMap<string, FollowedEffect>;
  readonly timers: ReadonlyMap<number, TimerRecord>;
  /** Addresses of those that have ended with the newest entry, and are left out after the next. */
  readonly ended: readonly string[];
}

export const nothingYet: LogState = {
  at: 0,
  definition: '',
  actors: new Map(),
  effects: new Map(),
  timers: new Map(),
  ended: [],
};

/** When an effect began: an address names one life for ever, so what was seen once holds in all of the stream. */
export interface Begun {
  readonly src: string;
  readonly since: Revision;
  readonly startedAt: TimeMs;
}

/** What is known besides the entry. */
export interface Known {
  /** Id of the root actor. */
  readonly rootId: string;
  readonly begun: Map<string, Begun>;
  /** The chart of an actor under a definition. */
  chartOf(definition: string, address: string, sourceOf: (address: string) => string | null): MachineChart | undefined;
}
