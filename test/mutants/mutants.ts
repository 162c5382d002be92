/**
 * Small bugs, each made where it would be made. Owns the list; docs/explanation/mutants.md says what it is for.
 *
 * MU1  A mutant is exact text of a source file and what becomes of it; the text is there once, so that the list never rots.
 * MU2  It names the invariants by which it has to be found: being found by another one is as bad as not being found.
 */

/** One change of a source file. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A bug. */
export interface Mutant {
  readonly name: string;
  /** Where it was seen before; undefined where it is our own. */
  readonly precedent?: string;
  /** What is tried first. */
  readonly probe: string;
  /** Numbers of docs/explanation/invariants.md; at least one of them is broken, and no other. */
  readonly kills: readonly number[];
  readonly edits: readonly Edit[];
}

const host = 'src/runtime/actor-host.ts';
const actors = 'src/runtime/actors.ts';
const tree = 'src/kernel/actor-tree.ts';
const treeState = 'src/kernel/tree-state.ts';

export const mutants: readonly Mutant[] = [
  {
    name: 'acknowledged before it is durable',
    precedent: 'Jepsen: NATS 2.12.1',
    probe: 'order',
    kills: [7],
    edits: [
      {
        file: host,
        find: '    this.#queue.push({ submission, step, events, snapshot: tree.rootActor.getSnapshot() });\n    this.#flush();\n  }\n\n  /**\n   * Records',
        replace:
          '    this.#queue.push({ submission, step, events, snapshot: tree.rootActor.getSnapshot() });\n    submission.resolve?.(tree.rootActor.getSnapshot());\n    this.#flush();\n  }\n\n  /**\n   * Records',
      },
    ],
  },
  {
    name: 'effect started before the append',
    precedent: 'DBOS TS: debugTriggerPoint STEP_COMMIT',
    probe: 'order',
    kills: [10],
    edits: [
      { file: host, find: '      this.#run(pending.step);\n', replace: '' },
      {
        file: host,
        find: '    const actor = headOf(this.#tree!, this.info, this.correlationId);\n',
        replace:
          '    const actor = headOf(this.#tree!, this.info, this.correlationId);\n    for (const pending of batch) this.#run(pending.step);\n',
      },
    ],
  },
  {
    name: 'unknown outcome retried with new ids',
    precedent: 'FoundationDB: commit_unknown_result',
    probe: 'order',
    kills: [8],
    edits: [
      {
        file: host,
        find: 'this.#append(batch, expected, events, actor, attempt + 1)',
        replace:
          'this.#append(batch, expected, events.map((each, index) => sealEvent({ ...each, id: this.#services.newId() }, placeAt(this.stream, this.#revision + 1 + index))), actor, attempt + 1)',
      },
    ],
  },
  {
    name: 'unknown outcome retried at the revision that is there now',
    precedent: 'KurrentDB #1898, #1949, #2274',
    probe: 'order',
    kills: [8],
    edits: [
      {
        file: host,
        find: '      return this.#services.log.append(this.stream, expected, events, { actor });',
        replace:
          "      return this.#services.log.head(this.stream).then((head) =>\n        this.#services.log.append(this.stream, 'revision' in head ? head.revision : 'no-stream', events, { actor }),\n      );",
      },
    ],
  },
  {
    name: 'outcome dropped when its append fails, and the effect run again',
    precedent: 'Vercel workflow #2675',
    probe: 'outages',
    kills: [32],
    edits: [
      {
        file: host,
        find: 'if (!isPassing(error)) return this.#giveUp(error);',
        replace: 'if (attempt === 0) return this.#giveUp(error);',
      },
      {
        file: host,
        find: "const again = conflict ? all : all.filter(({ prepared }) => prepared.stimulus.type.startsWith('Effect'));",
        replace: 'const again = conflict ? all : [];',
      },
    ],
  },
  {
    name: 'stale owner writes',
    precedent: 'OpenWorkflow 1e734df, a3b3ffb; Resonate #509',
    probe: 'owners',
    kills: [25, 30],
    edits: [
      {
        file: host,
        find: "const expected = this.#revision < 0 ? 'no-stream' : this.#revision;",
        replace: "const expected = this.#revision < 0 ? 'no-stream' : ('any' as unknown as number);",
      },
    ],
  },
  {
    name: 'effects of a dropped tree not aborted',
    precedent: 'Resonate #509',
    probe: 'owners',
    kills: [25],
    edits: [
      {
        file: host,
        find: '    this.#queue = [];\n    this.stopEffects(reason);\n',
        replace: '    this.#queue = [];\n',
      },
    ],
  },
  {
    name: 'commands of the mailbox in a snapshot of what is durable',
    precedent: 'akka #27381',
    probe: 'snapshots',
    kills: [26, 1, 4],
    edits: [
      {
        file: host,
        find: 'if (this.#queue.length === 0 && this.#tree) this.#services.atRest(this);',
        replace: 'if (this.#tree) this.#services.atRest(this);',
      },
    ],
  },
  {
    name: 'facts appended apart from their stimulus',
    probe: 'shelf',
    kills: [1, 4],
    edits: [
      {
        file: host,
        find: '      return this.#services.log.append(this.stream, expected, events, { actor });',
        replace:
          '      const [first, ...rest] = events;\n      const { log } = this.#services;\n      const stimulus = log.append(this.stream, expected, [first!], { actor });\n      if (rest.length === 0) return stimulus;\n      return stimulus.then(({ revision }) => log.append(this.stream, revision, rest, { actor }));',
      },
    ],
  },
  {
    name: 'repeated message never acknowledged',
    precedent: 'Restate #391',
    probe: 'shelf',
    kills: [1],
    edits: [{ file: host, find: 'else submission.resolve?.(this.#committed!);', replace: 'else return;' }],
  },
  {
    name: 'event handled after the end',
    precedent: 'DBOS TS #1323',
    probe: 'ending',
    kills: [33],
    edits: [{ file: host, find: "if (tree.root && tree.status !== 'active') {", replace: 'if (false as boolean) {' }],
  },
  {
    name: 'correlation of a timer lost',
    probe: 'order',
    kills: [24],
    edits: [
      {
        file: host,
        find: 'origin: { correlationId, causationId } });\n    }\n  }\n\n  /** The host is about to close',
        replace: "origin: { correlationId: 'timer', causationId } });\n    }\n  }\n\n  /** The host is about to close",
      },
    ],
  },
  {
    name: 'timer fires early',
    precedent: 'Temporal TS #2269',
    probe: 'shelf',
    kills: [19],
    edits: [{ file: host, find: 'timer.dueAt > now ||', replace: 'timer.dueAt > now + 1000 ||' }],
  },
  {
    name: 'store outage in recovery strands an actor',
    precedent: 'DBOS py #716',
    probe: 'outages',
    kills: [1],
    edits: [{ file: actors, find: 'return await this.#patience.persist(read);', replace: 'return await read();' }],
  },
  {
    name: 'lost effects taken up by every resume',
    precedent: 'DBOS Java #491, #493; TS #1207, #1219, #1314',
    probe: 'patience',
    kills: [5, 32],
    edits: [
      {
        file: host,
        find: '        invariant(!this.#effects?.has(address), `effect ${address} of ${this.stream} runs already`);\n',
        replace: '',
      },
      {
        file: host,
        find: '    const addresses = this.#unresumed;\n    this.#unresumed = none;\n',
        replace: '    const addresses = this.#unresumed;\n',
      },
    ],
  },
  {
    name: 'ActorResumed appended at every resume',
    probe: 'order',
    kills: [5],
    edits: [{ file: 'src/runtime/resumption.ts', find: 'if (lost.length === 0 && !changed) return [];', replace: '' }],
  },
  {
    name: 'resumed effect not run again',
    precedent: 'Restate #391',
    probe: 'order',
    kills: [4],
    edits: [
      {
        file: tree,
        find: "    effect.untouched = false;\n    this.#open.operations.push({ type: 'start', effect });\n",
        replace: '    effect.untouched = false;\n',
      },
    ],
  },
  {
    name: 'key for each run of an effect',
    precedent: 'Vercel workflow #2011',
    probe: 'order',
    kills: [12, 4],
    edits: [
      {
        file: 'src/runtime/effect-runner.ts',
        find: 'return `${this.#effect.cause.eventId}${this.actor}`;',
        replace: 'return `${this.#effect.cause.eventId}${this.actor}#${this.attempt}`;',
      },
    ],
  },
  {
    name: 'custom action run again by a fold',
    precedent: 'Restate bc4e86ea',
    probe: 'shelf',
    kills: [4],
    edits: [
      {
        file: 'src/kernel/fold.ts',
        find: '    this.#expected = step.facts;\n    this.#expectedAt = 0;\n  }',
        replace:
          "    this.#expected = step.facts;\n    this.#expectedAt = 0;\n    for (const operation of step.operations) {\n      if (operation.type === 'action') operation.action.exec?.(operation.action.info, operation.action.params);\n    }\n  }",
      },
    ],
  },
  {
    name: 'damaged snapshot trusted',
    probe: 'damagedSnapshots',
    kills: [1, 4, 26],
    edits: [
      {
        file: 'src/runtime/snapshot-reader.ts',
        find: 'if (!stored || !isIntactText(stored.data, stored.checksum)) return undefined;',
        replace: 'if (!stored) return undefined;',
      },
    ],
  },
  {
    name: 'snapshot without timers',
    precedent: 'XState #5331, #4860',
    probe: 'snapshots',
    kills: [26, 1, 4],
    edits: [
      { file: treeState, find: 'timers: [...(tree.timers?.values() ?? [])],', replace: 'timers: [],' },
      { file: treeState, find: 'cancellable: [...(tree.timerKeys?.values() ?? [])],', replace: 'cancellable: [],' },
    ],
  },
  {
    name: 'snapshot without history states',
    precedent: 'XState #5077',
    probe: 'snapshots',
    kills: [26, 1, 4],
    edits: [
      {
        file: 'src/kernel/xstate-internals.ts',
        find: '    history[key] = remembered.map((node) => node.id);\n',
        replace: '    void key;\n    void remembered;\n',
      },
    ],
  },
  {
    name: 'snapshot without message ids',
    precedent: 'KurrentDB #1898',
    probe: 'snapshots',
    kills: [9],
    edits: [{ file: treeState, find: 'messageIds: [...(tree.messageIds ?? [])],', replace: 'messageIds: [],' }],
  },
  {
    name: 'order of a set not kept in a snapshot',
    precedent: 'Temporal Go #2055, Java #2473',
    probe: 'snapshots',
    kills: [26, 1, 4],
    edits: [
      {
        file: 'src/log/rich-values.ts',
        find: 'const value: unknown = unflatten(json, { ...revivers, ...errors.revivers });',
        replace:
          'const value: unknown = unflatten(json, { ...revivers, ...errors.revivers, Set: (items: unknown[]) => new Set([...items].sort()) });',
      },
    ],
  },
  {
    name: 'deadline counted anew after a recovery',
    precedent: 'DBOS TS #903',
    probe: 'order',
    kills: [4, 19],
    edits: [
      {
        file: tree,
        find: "      case 'ActorResumed':\n",
        replace:
          "      case 'ActorResumed':\n        for (const [seq, timer] of this.timers ?? []) this.timers!.set(seq, { ...timer, dueAt: timer.dueAt + 1 });\n",
      },
    ],
  },
  {
    name: 'cancelled timer fires',
    probe: 'shelf',
    kills: [21],
    edits: [
      {
        file: tree,
        find: '    this.timerKeys!.delete(key);\n    this.timers!.delete(seq);\n',
        replace: '    this.timerKeys!.delete(key);\n',
      },
    ],
  },
  {
    name: 'timers due together in the wrong order',
    precedent: 'Temporal Python #1573; Rust #803, #808',
    probe: 'shelf',
    kills: [20],
    edits: [{ file: tree, find: 'timer.dueAt < next.dueAt', replace: 'timer.dueAt <= next.dueAt' }],
  },
  {
    name: 'message id not remembered',
    precedent: 'KurrentDB #1898',
    probe: 'shelf',
    kills: [9],
    edits: [
      {
        file: tree,
        find: 'if (stimulus.messageId !== undefined) (this.messageIds ??= new Set()).add(stimulus.messageId);',
        replace: '',
      },
    ],
  },
  {
    name: 'dormant actor not in the index of wake-ups',
    precedent: 'XState #5331',
    probe: 'order',
    kills: [4],
    edits: [
      { file: 'src/kernel/standing.ts', find: 'wakeAt: tree.nextTimer()?.dueAt ?? null,', replace: 'wakeAt: null,' },
    ],
  },
  {
    name: 'time read from the process while folding',
    precedent: 'Temporal TS #2269',
    probe: 'shop',
    kills: [3],
    edits: [
      {
        file: 'src/kernel/determinism.ts',
        find: 'return ambient ? ambient.at : realClock.now();',
        replace: 'return realClock.now();',
      },
    ],
  },
  {
    name: 'chance not the same in a fold',
    precedent: 'Temporal: sdk random seeds',
    probe: 'order',
    kills: [1, 4, 8],
    edits: [{ file: 'src/kernel/determinism.ts', find: 'seededRandom(hashSeed(ambient.seed))', replace: 'realRandom' }],
  },
  {
    name: 'stack trace in a logged error',
    precedent: 'Restate TS #656',
    probe: 'shelf',
    kills: [1],
    edits: [
      {
        file: 'src/log/logged-errors.ts',
        find: "    ['message', typeof message === 'string' ? message : new Unreadable('an error message that is not a string')],\n",
        replace:
          "    ['message', typeof message === 'string' ? message : new Unreadable('an error message that is not a string')],\n    ['stack', read(error, 'stack')],\n",
      },
    ],
  },
  {
    name: 'lost attempts not counted',
    precedent: 'Cadence #1486',
    probe: 'bounded',
    kills: [15],
    edits: [
      {
        file: 'machines/step-state.ts',
        find: 'attempt: wasInterrupted(error) ? context.attempt - 1 : context.attempt,',
        replace: 'attempt: isLost(error) ? 0 : context.attempt,',
      },
    ],
  },
  {
    name: 'two half-open probes',
    precedent: 'Micronaut #11485',
    probe: 'pair',
    kills: [17],
    edits: [
      {
        file: 'machines/breaker-permit.ts',
        find: 'probes.length + probeSuccesses + probeFailures < settings.halfOpen.permits',
        replace: 'probes.length + probeSuccesses + probeFailures <= settings.halfOpen.permits',
      },
    ],
  },
  {
    name: 'stuck half-open',
    precedent: 'opossum #120, #276',
    probe: 'breaker',
    kills: [18],
    edits: [
      {
        file: 'machines/breaker-permit.ts',
        find: 'return probes.filter(({ leaseUntil }) => nowMs >= leaseUntil);',
        replace: 'return probes.filter(({ leaseUntil }) => nowMs < leaseUntil && nowMs > Infinity);',
      },
    ],
  },
  {
    name: 'open breaker lets calls through',
    precedent: 'opossum #120',
    probe: 'pair',
    kills: [17],
    edits: [
      {
        file: 'machines/breaker-permit.ts',
        find: 'return opening !== null && nowMs >= opening.until;',
        replace: 'return opening !== null;',
      },
    ],
  },
  {
    name: 'retry before its backoff is over',
    precedent: 'RFC 9110: Retry-After',
    probe: 'shop',
    kills: [16],
    edits: [
      {
        file: 'machines/step-machine.ts',
        find: 'backoff: ({ context }) => Math.max(0, context.retry!.dueAt - now()),',
        replace: 'backoff: 1,',
      },
    ],
  },
];

/** The text of a file with an edit made. @throws where what it changes is not there exactly once */
export function changed(text: string, { file, find, replace }: Edit): string {
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(
      `A mutant changes ${file} where it says ${JSON.stringify(find)}: expected there once, found ${parts.length - 1} times. ` +
        'Make the same bug in the source as it is now.',
    );
  }
  return parts.join(replace);
}
