/** Self-healing: fail, diagnose, fix, call again; its bound, and where it goes on after a crash. */
import { describe, expect, it } from 'vitest';
import { fromPromise, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { withHealing, type Diagnosis, type HealingOptions, type Patient } from '../../machines/healing.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

type Doctor = (patient: Patient<string>) => unknown;

function clinic(done: string[], diagnosis: Doctor, remedy: Doctor, options: Partial<HealingOptions> = {}) {
  const logic = (name: string, run: Doctor) =>
    fromPromise(async ({ input }: { input: Patient<string> }) => (done.push(name), run(input)));
  const call = fromPromise(async ({ input }: { input: string }) => {
    done.push(`call ${input}`);
    if (input !== 'sharp') throw Object.assign(new Error(`cannot read ${input}`), { status: 422 });
    return 'read';
  });
  return withHealing({
    diagnose: logic('diagnose', diagnosis),
    remedies: { sharpen: logic('sharpen', remedy), rotate: logic('rotate', () => undefined) },
    ...options,
  })(call) as unknown as AnyStateMachine;
}

async function heal(diagnosis: Doctor, remedy: Doctor = () => 'sharp', options: Partial<HealingOptions> = {}) {
  const house = new House();
  const done: string[] = [];
  const runtime = await house.open({ work: clinic(done, diagnosis, remedy, options) });
  const ref = await runtime.start('work', { id: '1', input: 'blurred' } as never);
  await rest();
  const ended = await outcomeOf(ref.output());
  const facts = await house.facts('work-1');
  return { ...ended, done, facts };
}

const sharpen = (): Diagnosis => ({ remedy: 'sharpen', quality: 0.2 });

describe('a call that fails', () => {
  it('is diagnosed, mended and made again with what the remedy gave', async () => {
    const { output, done, facts } = await heal(sharpen);
    expect(output).toBe('read');
    expect(done).toEqual(['call blurred', 'diagnose', 'sharpen', 'call sharp']);
    expect(facts).toMatchObject([
      { type: 'Diagnosed', error: { status: 422 }, diagnosis: { remedy: 'sharpen', quality: 0.2 } },
      { type: 'RemedyApplied', remedy: 'sharpen', heal: 1 },
    ]);
  });

  it('tells diagnosis and remedy what failed and how often it was healed', async () => {
    const seen: Patient<string>[] = [];
    await heal(
      (patient) => (seen.push(patient), sharpen()),
      (patient) => (seen.push(patient), 'sharp'),
    );
    expect(seen).toMatchObject([
      { input: 'blurred', heals: 0, error: { message: 'cannot read blurred' } },
      { input: 'blurred', heals: 0, diagnosis: { quality: 0.2 } },
    ]);
  });

  it('keeps its input where a remedy gives none, and is healed only so often', async () => {
    const { error, done, facts } = await heal(() => ({ remedy: 'rotate' }), undefined, { maxHeals: 2 });
    expect(error).toMatchObject({ message: 'cannot read blurred', status: 422 });
    expect(done.filter((each) => each === 'call blurred').length).toBe(3);
    expect(facts.at(-1)).toMatchObject({ type: 'HealingEnded', reason: 'maxHeals', heals: 2 });
  });

  it.each<[string, Doctor, Doctor]>([
    ['noRemedy', () => ({ remedy: null }), () => 'sharp'],
    ['noRemedy', () => ({ remedy: 'amputate' }), () => 'sharp'],
    ['diagnosisFailed', () => Promise.reject(new Error('no doctor')), () => 'sharp'],
    ['remedyFailed', sharpen, () => Promise.reject(new Error('no tools'))],
  ])('leaves with its own error, and says why: %s', async (reason, diagnosis, remedy) => {
    const { error, facts } = await heal(diagnosis, remedy);
    expect(error).toMatchObject({ message: 'cannot read blurred' });
    expect(facts.at(-1)).toMatchObject({ type: 'HealingEnded', reason });
  });

  it('goes on with the remedy after a crash, and is not diagnosed again (HL1)', async () => {
    const house = new House();
    const first: string[] = [];
    const { runtime, crash } = await house.openToCrash({ work: clinic(first, sharpen, () => new Promise(() => {})) });
    await runtime.start('work', { id: '1', input: 'blurred' } as never);
    await rest();
    crash();
    const second: string[] = [];
    const ref = await (await house.open({ work: clinic(second, sharpen, () => 'sharp') })).get('work-1');
    await rest();
    expect(await ref.output()).toBe('read');
    expect([first, second]).toEqual([
      ['call blurred', 'diagnose', 'sharpen'],
      ['sharpen', 'call sharp'],
    ]);
  });
});

it('is refused without remedies, and with a bound that cannot be', () => {
  const diagnose = fromPromise(async () => sharpen());
  expect(() => withHealing({ diagnose, remedies: {} })).toThrow(InvalidArgumentError);
  expect(() => withHealing({ diagnose, remedies: { sharpen: diagnose }, maxHeals: -1 })).toThrow(InvalidArgumentError);
});
