import { describe, expect, it } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { recoveryMachines } from 'rewake/machines';
import { readReceipt } from '../../examples/receipts/parse-receipt.ts';
import { ReceiptProblemError } from '../../examples/receipts/receipt-facts.ts';
import { receiptMachine } from '../../examples/receipts/receipt-machine.ts';
import { House, outcomeOf } from '../support/house.ts';
import { bytesOf, files, reset, ScriptedService, status, type Scripted } from './receipts-stage.ts';

const good = '002-de-supermarkt.txt';
const key = `receipt:${good}`;

const textOf = (file: string) => bytesOf(file).toString('utf8');

/** What a model gives that overlooked the last line of a receipt. */
function misread(file: string): Scripted {
  const read = readReceipt(textOf(file));
  if (!read.ok) throw new Error(read.problem.detail);
  return { answer: { ...read.value, lines: read.value.lines.slice(0, -1) } };
}

/** Runs one receipt to its end, and gives what came of it and what was told. */
async function play(file: string, script: Readonly<Record<string, Scripted[]>> = {}, advanceMs = 60_000) {
  const house = new House();
  const service = new ScriptedService(script);
  const runtime = await house.open({ receipt: receiptMachine(service), ...recoveryMachines });
  const ref = await runtime.start('receipt', { id: '1', input: file });
  const ended = outcomeOf(ref.output());
  await house.advance(advanceMs);
  const { output, error } = await ended;
  const facts = await house.facts('receipt-1');
  return { output, error, facts, service, types: facts.map(({ type }) => type) };
}

type Facts = Awaited<ReturnType<typeof play>>['facts'];
const ofType = (facts: Facts, type: string) => facts.filter((fact) => fact.type === type);

describe('a receipt that is read and posted', () => {
  it('asks the vision model and the ledger once each when nothing fails', async () => {
    const { output, facts, service } = await play(good);
    expect(output).toEqual({ entry: 5 });
    expect(facts).toMatchObject([
      { type: 'ReceiptRead', reader: 'vision', mends: [], language: 'de', lines: 3 },
      { type: 'ReceiptPosted', entry: 5, eurCents: 100 },
    ]);
    expect(service.calls.map(({ path }) => path)).toEqual(['/vision', '/ledger']);
  });

  it('tries the vision model again after a reset and a server error', async () => {
    const { facts, types, service } = await play(good, { '/vision': [reset(), status(500)] });
    expect(service.callsTo('/vision')).toHaveLength(3);
    expect(types).toEqual([
      ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled'],
      ...['ReceiptRead', 'ReceiptPosted'],
    ]);
    expect(ofType(facts, 'AttemptFailed')).toMatchObject([
      { error: { class: 'transient' } },
      { error: { class: 'server' } },
    ]);
  });

  it('falls back to the mini model when the vision model has failed three times', async () => {
    const { facts, service } = await play(good, { '/vision': [status(503), status(503), status(503)] });
    expect(service.callsTo('/vision')).toHaveLength(3);
    expect(service.callsTo('/mini')).toHaveLength(1);
    expect(ofType(facts, 'FallbackEntered')).toMatchObject([{ index: 1, error: { name: 'RecoveryExhaustedError' } }]);
    expect(ofType(facts, 'ReceiptRead')).toMatchObject([{ reader: 'mini' }]);
  });

  it('F1 reads a receipt itself when what the mini model read does not add up', async () => {
    const vision = [status(503), status(503), status(503)];
    const { output, facts, service } = await play(good, { '/vision': vision, '/mini': [misread(good), misread(good)] });
    expect(service.callsTo('/mini')).toHaveLength(2);
    expect(ofType(facts, 'ReceiptRead')).toMatchObject([{ reader: 'local' }]);
    expect(output).toEqual({ entry: 5 });
  });

  it('F1 asks nobody else about a receipt of which the vision model says that it cannot be booked', async () => {
    const { error, service } = await play('171-de-supermarkt.txt');
    expect(error).toBeInstanceOf(ReceiptProblemError);
    expect(service.calls.map(({ path }) => path)).toEqual(['/vision']);
  });

  it('gives up an attempt that does not answer within two seconds', async () => {
    const { facts } = await play(good, { '/vision': ['silence'] });
    expect(facts.slice(0, 2)).toMatchObject([
      { type: 'TimedOut', step: 'vision', timeoutMs: 2_000 },
      { type: 'AttemptFailed', durationMs: 2_000 },
    ]);
  });

  it('waits as long as Retry-After asks for', async () => {
    const { facts } = await play(good, { '/ledger': [status(429, '1')] });
    const [retry] = ofType(facts, 'RetryScheduled');
    expect(retry!.delayMs).toBeGreaterThanOrEqual(1_000);
    expect(retry!.delayMs).toBeLessThanOrEqual(1_100);
  });

  it('F2 posts every attempt under the same key', async () => {
    const { output, service } = await play(good, { '/ledger': [reset(), 'silence', status(500)] });
    expect(service.callsTo('/ledger').map((request) => request.key)).toEqual([key, key, key, key]);
    expect(output).toEqual({ entry: 5 });
  });

  it('T1 fails with what the ledger refuses, without another attempt', async () => {
    const duplicate = new ReceiptProblemError({ code: 'duplicate', detail: 'entry 7' });
    const { error, service } = await play(good, { '/ledger': [duplicate] });
    expect(error).toMatchObject({ code: 'duplicate', message: 'entry 7' });
    expect(service.callsTo('/ledger')).toHaveLength(1);
  });

  it('leaves a vision model alone whose breaker is open, and waits for a ledger whose breaker is', async () => {
    const house = new House();
    const down = () => Array.from({ length: 8 }, () => status(503));
    const service = new ScriptedService({ '/vision': down(), '/ledger': down() });
    const runtime = await house.open({ receipt: receiptMachine(service), ...recoveryMachines });
    const ended = [0, 1].map(async (nth) => {
      const ref = await runtime.start('receipt', { id: String(nth), input: files[nth]! });
      return outcomeOf(ref.output());
    });
    await house.advance(30_000);
    for (const { output } of await Promise.all(ended)) expect(output).toEqual({ entry: 5 });
    expect(service.callsTo('/vision')).toHaveLength(5);
    expect(service.callsTo('/ledger')).toHaveLength(10);
    const types = await Promise.all(['vision', 'ledger'].map((one) => house.types(`breaker-${one}`)));
    for (const of of types) expect(of.filter((type) => type === 'CircuitOpened')).toHaveLength(1);
  });
});

describe('a receipt that is damaged', () => {
  it.each([
    ['045-fr-pharmacie.txt', 'not-utf8', ['decodeWindows1252']],
    ['128-fr-pharmacie.txt', 'not-utf8', ['decodeWindows1252', 'joinLines']],
    ['071-pl-sklep.txt', 'mojibake', ['encodeAgain']],
    ['058-it-trattoria.txt', 'total-missing', ['joinLines']],
    ['141-es-taxi.txt', 'total-missing', ['restoreCommas']],
    ['074-en-grocer.txt', 'total-missing', ['restoreTotal']],
    ['146-it-trattoria.txt', 'sum-mismatch', ['restoreCommas']],
  ])('is mended and posted: %s, %s', async (file, code, mends) => {
    const { output, facts } = await play(file);
    expect(output).toEqual({ entry: 5 });
    expect(ofType(facts, 'Diagnosed')[0]).toMatchObject({ error: { code }, diagnosis: { remedy: mends[0] } });
    expect(ofType(facts, 'RemedyApplied').map(({ remedy }) => remedy)).toEqual(mends);
    expect(ofType(facts, 'ReceiptRead')).toMatchObject([{ mends }]);
  });

  it.each([
    ['047-en-grocer.txt', 'empty'],
    ['082-de-supermarkt.txt', 'binary'],
    ['094-es-gasolinera.txt', 'total-missing'],
    ['161-en-grocer.txt', 'refund'],
    ['171-de-supermarkt.txt', 'sum-mismatch'],
  ])('T1 fails after a diagnosis that names no remedy where it is hopeless: %s, %s', async (file, code) => {
    const { error, facts, service } = await play(file);
    expect(error).toMatchObject({ name: 'ReceiptProblemError', code });
    expect(ofType(facts, 'Diagnosed')).toMatchObject([{ error: { code }, diagnosis: { remedy: null } }]);
    expect(facts.at(-1)).toMatchObject({ type: 'HealingEnded', reason: 'noRemedy' });
    expect(service.callsTo('/ledger')).toEqual([]);
  });

  it('is not there: fails with what reading the file failed with', async () => {
    const { error, facts } = await play('no-such-file.txt');
    expect(error).toMatchObject({ code: 'ENOENT' });
    expect(facts.at(-1)).toMatchObject({ type: 'HealingEnded' });
  });

  it('is mended in whatever reader comes to it', async () => {
    const script = { '/vision': [reset(), reset(), reset()], '/mini': [reset(), reset()] };
    const { output, facts } = await play('141-es-taxi.txt', script);
    expect(ofType(facts, 'FallbackEntered')).toHaveLength(2);
    expect(ofType(facts, 'ReceiptRead')).toMatchObject([{ reader: 'vision', mends: ['restoreCommas'] }]);
    expect(output).toEqual({ entry: 5 });
  });
});

it('runs under plain createActor', async () => {
  const actor = createActor(receiptMachine(new ScriptedService()), { input: '128-fr-pharmacie.txt' }).start();
  expect(await toPromise(actor)).toEqual({ entry: 5 });
});
