/**
 * A structural hash of a machine definition: what states, transitions, guards, actions, delays and actors it has, by
 * name. Function bodies are not part of it (a bundler rewrites them); whether changed code still fits a history is
 * decided by folding that history.
 *
 * H1  The same definition gives the same hash in every process and build.
 * H2  Descriptions, metadata and the version label do not change the hash.
 */
import { createHash } from 'node:crypto';
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { isMachine, logicKind } from './xstate-internals.ts';

const ignoredKeys = new Set(['description', 'meta', 'types', 'schemas', 'version', 'tags']);
const hashes = new WeakMap<AnyStateMachine, string>();

/** The hash of a machine's structure and of the machines it invokes or spawns by name: 16 hex digits of SHA-256. */
export function definitionHash(machine: AnyStateMachine): string {
  let hash = hashes.get(machine);
  if (!hash) {
    hash = createHash('sha256')
      .update(JSON.stringify(describeMachine(machine, new Set())))
      .digest('hex')
      .slice(0, 16);
    hashes.set(machine, hash);
  }
  return hash;
}

function describeMachine(machine: AnyStateMachine, seen: Set<unknown>): unknown {
  if (seen.has(machine)) return 'recursive';
  seen.add(machine);
  const { actors, delays } = machine.implementations;
  const description = {
    config: describe(machine.config, seen),
    actors: describeEach(actors, seen),
    delays: describeEach(delays, seen),
  };
  seen.delete(machine);
  return description;
}

function describeEach(implementations: object, seen: Set<unknown>): unknown {
  return Object.entries(implementations)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, describe(value, seen)]);
}

function describe(value: unknown, seen: Set<unknown>): unknown {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return describeFunction(value, seen);
  if (typeof value !== 'object' || value === null) return value;
  if (isLogic(value)) return isMachine(value) ? describeMachine(value, seen) : logicKind(value);
  if (seen.has(value)) return 'recursive';
  seen.add(value);
  const description = Array.isArray(value) ? value.map((item) => describe(item, seen)) : describeObject(value, seen);
  seen.delete(value);
  return description;
}

/** Keys stay in the order of the definition: the order of transitions and states is meaning. */
function describeObject(value: object, seen: Set<unknown>): unknown {
  return Object.entries(value)
    .filter(([key, item]) => !ignoredKeys.has(key) && item !== undefined)
    .map(([key, item]) => [key, describe(item, seen)]);
}

/** XState's built-in actions are functions that carry their parameters as properties. */
function describeFunction(fn: object & { name?: string }, seen: Set<unknown>): unknown {
  const own = Object.entries(fn).filter(([key]) => key !== 'resolve' && key !== 'execute' && key !== 'retryResolve');
  return own.length > 0 ? ['fn', describeObject(Object.fromEntries(own), seen)] : 'fn';
}

function isLogic(value: object): value is AnyActorLogic {
  return 'transition' in value && 'getInitialSnapshot' in value;
}
