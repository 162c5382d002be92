/**
 * Compares the log of a killed process with those who saw it from outside: the client, who has acknowledgements, and the
 * world, which was acted upon. Owns these comparisons, and what of the log they need; the log by itself is judged by an audit.
 */
import type { RecordedEvent } from 'rewake';
import type { Violation } from 'rewake/audit';
import { describeViolation } from 'rewake/audit';
import type { Command } from '../support/kill-process.ts';
import type { Sighting } from '../support/kill-witness.ts';

/** Violations by invariant. */
export class Findings {
  readonly #byInvariant = new Map<number, string[]>();

  add(invariant: number, what: string): void {
    const found = this.#byInvariant.get(invariant);
    if (found) found.push(what);
    else this.#byInvariant.set(invariant, [what]);
  }

  addAll(violations: Iterable<Violation>): void {
    for (const violation of violations) this.add(violation.invariant, describeViolation(violation));
  }

  /** What was found against any of these invariants; the first few of each, because one bug shows everywhere. */
  of(...invariants: number[]): string[] {
    return invariants.flatMap((number) => {
      const found = this.#byInvariant.get(number) ?? [];
      const shown = found.slice(0, 5).map((what) => `${number}: ${what}`);
      return found.length > 5 ? [...shown, `${number}: … ${found.length} in all`] : shown;
    });
  }
}

/** How often things happened. */
export interface Tally {
  outcomes: number;
  abandoned: number;
  lost: number;
  resumed: number;
  timersFired: number;
  timersCancelled: number;
}

interface StimulusData {
  readonly actor?: string;
  readonly dueAt?: number;
  readonly action?: boolean;
  readonly messageId?: string;
  readonly effects?: readonly { readonly actor: string; readonly decision: string }[];
  readonly intents?: readonly { readonly actor: string }[];
  readonly cancelled?: readonly number[];
}

/** What the log says of effects and messages. */
export class LogEvidence {
  /** Begun effects by idempotency key. */
  readonly intents = new Map<string, RecordedEvent>();
  /** How often a host announced that it runs an effect again, by key. */
  readonly reruns = new Map<string, number>();
  /** Messages that were applied, by stream and message id. */
  readonly messages = new Set<string>();
  readonly tally: Tally = { outcomes: 0, abandoned: 0, lost: 0, resumed: 0, timersFired: 0, timersCancelled: 0 };
  readonly findings: Findings;
  /** The newest key at each address of a stream. */
  readonly #keys = new Map<string, string>();
  readonly #streams = new Set<string>();

  constructor(findings: Findings) {
    this.findings = findings;
  }

  get streams(): string[] {
    return [...this.#streams];
  }

  push(event: RecordedEvent): void {
    const { stream, type, meta } = event;
    this.#streams.add(stream);
    if (meta.actor !== undefined) {
      if (type === 'CallAbandoned') this.tally.abandoned++;
      return;
    }
    const data = JSON.parse(event.data) as StimulusData;
    if (data.messageId !== undefined) this.messages.add(`${stream} ${data.messageId}`);
    if ((type === 'EffectSucceeded' || type === 'EffectFailed') && !data.action) this.tally.outcomes++;
    if (type === 'ActorResumed') this.#pushResumed(stream, data);
    if (type === 'TimerFired') this.#pushFired(event, data);
    this.tally.timersCancelled += data.cancelled?.length ?? 0;
    for (const { actor } of data.intents ?? []) {
      const key = `${event.id}${actor}`;
      this.intents.set(key, event);
      this.#keys.set(`${stream} ${actor}`, key);
    }
  }

  #pushResumed(stream: string, { effects = [] }: StimulusData): void {
    this.tally.resumed++;
    for (const { actor, decision } of effects) {
      if (decision === 'rerun') count(this.reruns, this.#keys.get(`${stream} ${actor}`) ?? actor);
      else this.tally.lost++;
    }
  }

  /** By the clock of the log, which here is that of the host. */
  #pushFired({ stream, revision, recordedAt }: RecordedEvent, { dueAt = 0 }: StimulusData): void {
    this.tally.timersFired++;
    if (recordedAt < dueAt) this.findings.add(19, `${stream}@${revision} was recorded ${dueAt - recordedAt} ms early`);
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** How often a lost effect is run again at most: the default of EffectOptions.maxRestarts. */
const restartsMax = 10;

/** 7: every acknowledged command is in the log, in the stream it was sent to. */
export function compareWithClient(log: LogEvidence, acknowledged: Iterable<Command>): void {
  const { findings, messages, streams } = log;
  const started = new Set(streams);
  for (const command of acknowledged) {
    if (command.do === 'send' && !messages.has(`${command.stream} ${command.id}`)) {
      findings.add(7, `${command.stream}: message ${command.id} was acknowledged and is not in the log`);
    }
    if (command.do === 'start' && !started.has(`${command.machine}-${command.actor}`)) {
      findings.add(7, `${command.machine}-${command.actor}: its start was acknowledged and is not in the log`);
    }
  }
}

/** 10, 12, 15: every run of an effect that the world saw has its place in the log. */
export function compareWithWorld(log: LogEvidence, sightings: readonly Sighting[]): void {
  const places = new Map<string, string>();
  const attempts = new Map<string, number>();
  for (const { phase, key, stream, actor, attempt, at } of sightings) {
    const place = `${stream} ${actor}`;
    compareKey(log, places, place, key);
    if (phase !== 'began') continue;
    compareIntent(log, { place, key, at });
    const before = attempts.get(key) ?? 0;
    attempts.set(key, attempt);
    // A run that was announced and killed before its first line is missing, so numbers may be skipped, never repeated.
    if (attempt <= before) log.findings.add(12, `${place}: run ${attempt} of ${key} after run ${before}`);
    const announced = 1 + (log.reruns.get(key) ?? 0);
    if (attempt > announced) log.findings.add(10, `${place}: run ${attempt}, the log announces ${announced} runs`);
    if (attempt > 1 + restartsMax) log.findings.add(15, `${place}: run ${attempt} of ${key}`);
  }
}

function compareKey({ findings }: LogEvidence, places: Map<string, string>, place: string, key: string): void {
  const placeOfKey = places.get(key);
  if (placeOfKey !== undefined && placeOfKey !== place) {
    findings.add(12, `${key} is a key of ${place} and of ${placeOfKey}`);
  }
  const keyOfPlace = places.get(place);
  if (keyOfPlace !== undefined && keyOfPlace !== key) {
    findings.add(12, `${place} was run with the keys ${keyOfPlace} and ${key}`);
  }
  places.set(key, place).set(place, key);
}

function compareIntent(
  log: LogEvidence,
  run: { readonly place: string; readonly key: string; readonly at: number },
): void {
  const { findings } = log;
  const intent = log.intents.get(run.key);
  if (!intent) return findings.add(10, `${run.place} ran with key ${run.key}, of which the log knows nothing`);
  if (!run.place.startsWith(`${intent.stream} `)) findings.add(10, `${run.place} ran with a key of ${intent.stream}`);
  if (run.at < intent.recordedAt) {
    findings.add(10, `${run.place} ran ${intent.recordedAt - run.at} ms before its intent was written`);
  }
}
