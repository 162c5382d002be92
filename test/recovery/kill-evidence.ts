/**
 * Compares the log of a killed process with those who saw it from outside: the client, who has acknowledgements, and the
 * world, which was acted upon. Owns these comparisons; the log by itself is judged by kill-audit.ts.
 */
import type { Command } from '../support/kill-process.ts';
import type { Sighting } from '../support/kill-witness.ts';
import type { Audit } from './kill-audit.ts';

/** How often a lost effect is run again at most: the default of EffectOptions.maxRestarts. */
const restartsMax = 10;

/** 7, 9: every acknowledged command is in the log exactly once, in the stream it was sent to. */
export function compareWithClient(audit: Audit, acknowledged: Iterable<Command>): void {
  const { findings, messages } = audit;
  for (const [message, count] of messages) {
    if (count !== 1) findings.add(9, `message ${message} was applied ${count} times`);
  }
  for (const command of acknowledged) {
    if (command.do === 'send' && !messages.has(`${command.stream} ${command.id}`)) {
      findings.add(7, `${command.stream}: message ${command.id} was acknowledged and is not in the log`);
    }
    if (command.do === 'start' && audit.statusOf(`${command.machine}-${command.actor}`) === undefined) {
      findings.add(7, `${command.machine}-${command.actor}: its start was acknowledged and is not in the log`);
    }
  }
}

/** 10, 12, 15: every run of an effect that the world saw has its place in the log. */
export function compareWithWorld(audit: Audit, sightings: readonly Sighting[]): void {
  const places = new Map<string, string>();
  const attempts = new Map<string, number>();
  for (const { phase, key, stream, actor, attempt, at } of sightings) {
    const place = `${stream} ${actor}`;
    compareKey(audit, places, place, key);
    if (phase !== 'began') continue;
    compareIntent(audit, { place, key, at });
    const before = attempts.get(key) ?? 0;
    attempts.set(key, attempt);
    // A run that was announced and killed before its first line is missing, so numbers may be skipped, never repeated.
    if (attempt <= before) audit.findings.add(12, `${place}: run ${attempt} of ${key} after run ${before}`);
    const announced = 1 + (audit.reruns.get(key) ?? 0);
    if (attempt > announced) audit.findings.add(10, `${place}: run ${attempt}, the log announces ${announced} runs`);
    if (attempt > 1 + restartsMax) audit.findings.add(15, `${place}: run ${attempt} of ${key}`);
  }
}

function compareKey({ findings }: Audit, places: Map<string, string>, place: string, key: string): void {
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

function compareIntent(audit: Audit, run: { readonly place: string; readonly key: string; readonly at: number }): void {
  const { findings } = audit;
  const intent = audit.intents.get(run.key);
  if (!intent) return findings.add(10, `${run.place} ran with key ${run.key}, of which the log knows nothing`);
  if (!run.place.startsWith(`${intent.stream} `)) findings.add(10, `${run.place} ran with a key of ${intent.stream}`);
  if (run.at < intent.recordedAt) {
    findings.add(10, `${run.place} ran ${intent.recordedAt - run.at} ms before its intent was written`);
  }
}
