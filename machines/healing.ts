/**
 * Self-healing: a call that fails is diagnosed, a remedy is applied, and the call is made again. Owns the order and the
 * bound; diagnosis and remedies are logics of the user's, each an effect or a machine of its own.
 *
 * HL1  Every diagnosis and every remedy is on the log before the next call: after a crash the healing goes on where it was.
 * HL2  There are at most `maxHeals` remedies; then, or where the diagnosis names none, the error leaves unchanged.
 * HL3  A diagnosis or a remedy that fails itself ends the healing with the error of the call, and says so in a fact.
 */
import { InvalidArgumentError } from 'rewake';
import { assign, emit, sendTo, setup, type AnyActorLogic, type InputFrom, type OutputFrom } from 'xstate';
import { classify } from './classify.ts';
import { signatureOf, type ErrorSignature } from './error-signature.ts';
import { requireKnown, requireLogic, requireName, wholeNumber } from './options.ts';
import { errorOf, failing, outputOf, toldWhy, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';

/** What a diagnosis gives: which remedy is to be applied, `null` for none, and whatever else it found out. */
export interface Diagnosis {
  readonly remedy: string | null;
  readonly [finding: string]: unknown;
}

/** What a diagnosis and a remedy are given. */
export interface Patient<Input> {
  readonly input: Input;
  readonly error: unknown;
  /** Remedies that were applied before. */
  readonly heals: number;
  /** Of a remedy: what the diagnosis said. */
  readonly diagnosis?: Diagnosis;
}

/** How a call is healed. */
export interface HealingOptions {
  /** Names it in facts; `healing` when omitted. */
  readonly name?: string;
  /** A logic from {@link Patient} to {@link Diagnosis}. */
  readonly diagnose: AnyActorLogic;
  /** Logics from {@link Patient} to the input of the next call; one that gives nothing leaves the input as it is. */
  readonly remedies: Readonly<Record<string, AnyActorLogic>>;
  /** 3 when omitted. */
  readonly maxHeals?: number;
}

/** A failure was looked into. */
export interface Diagnosed {
  readonly type: 'Diagnosed';
  readonly step: string;
  readonly error: ErrorSignature;
  readonly diagnosis: Diagnosis;
}

/** A remedy was applied; the call is made again. */
export interface RemedyApplied {
  readonly type: 'RemedyApplied';
  readonly step: string;
  readonly remedy: string;
  /** 1 for the first remedy. */
  readonly heal: number;
}

/** The call is not healed: its error leaves. */
export interface HealingEnded {
  readonly type: 'HealingEnded';
  readonly step: string;
  readonly reason: 'noRemedy' | 'maxHeals' | 'diagnosisFailed' | 'remedyFailed';
  readonly heals: number;
}

type HealingFact = Diagnosed | RemedyApplied | HealingEnded;

/** What a healing remembers. */
export interface HealingContext {
  readonly input: unknown;
  readonly output: unknown;
  readonly error: unknown;
  readonly diagnosis: Diagnosis | undefined;
  readonly heals: number;
}

/**
 * Heals a logic: fail, diagnose, fix, call again.
 *
 * @example
 * const read = withHealing({ diagnose, remedies: { enhanceImage, fixEncoding } })(readReceipt);
 * @throws InvalidArgumentError without remedies, or for a bound that cannot be
 */
export function withHealing(options: HealingOptions) {
  requireKnown(options, ['name', 'diagnose', 'remedies', 'maxHeals'], 'withHealing');
  const { name = 'healing', diagnose, remedies, maxHeals = 3 } = options;
  requireName(name, 'withHealing.name');
  requireLogic(diagnose, 'withHealing.diagnose');
  const names = Object.keys(remedies ?? {});
  if (names.length === 0)
    throw InvalidArgumentError.of('withHealing.remedies', 'at least one remedy by name', remedies);
  for (const each of names) {
    // A dot would make XState look for a state inside another one.
    if (each.includes('.')) throw InvalidArgumentError.of('withHealing.remedies', 'names without a dot', each);
    requireLogic(remedies[each], `withHealing.remedies.${each}`);
  }
  wholeNumber(maxHeals, 'withHealing.maxHeals', 0);
  return <Logic extends AnyActorLogic>(
    logic: Logic,
  ): PolicyMachine<HealingContext, InputFrom<Logic>, OutputFrom<Logic>, HealingFact> => {
    requireLogic(logic, 'withHealing(options)(logic)');
    const machine = setup({
      types: {} as { context: HealingContext; input: unknown; output: unknown; emitted: HealingFact },
      actors: {
        call: logic as AnyActorLogic,
        diagnose,
        ...Object.fromEntries(names.map((each) => [srcOf(each), remedies[each]!])),
      },
      guards: {
        isBeyondHeals: ({ context }) => context.heals >= maxHeals,
        isRemedy: ({ context }, { remedy }: { remedy: string }) => context.diagnosis?.remedy === remedy,
      },
      actions: {
        keepOutput: assign({ output: (_, { output }: Ended) => output }),
        keepError: assign((_, { error }: Failed) => ({ error, diagnosis: undefined })),
        keepDiagnosis: assign({ diagnosis: (_, { output }: Ended) => output as Diagnosis }),
        keepInput: assign(({ context }, { output }: Ended) => ({
          heals: context.heals + 1,
          input: output === undefined ? context.input : output,
        })),
        tellDiagnosis: emit(({ context: { error, diagnosis } }) => {
          const signature = signatureOf(error, classify(error));
          return { type: 'Diagnosed', step: name, error: signature, diagnosis: diagnosis! } as const;
        }),
        tellRemedy: emit(({ context }, { remedy }: { remedy: string }) => {
          return { type: 'RemedyApplied', step: name, remedy, heal: context.heals } as const;
        }),
        tellEnd: emit(({ context }, { reason }: { reason: HealingEnded['reason'] }) => {
          return { type: 'HealingEnded', step: name, reason, heals: context.heals } as const;
        }),
        fail: sendTo(({ self }) => self, toldWhy),
        throwFailure: assign(({ context }) => {
          throw context.error;
        }),
      },
    }).createMachine({
      id: name,
      context: ({ input }) => ({ input, output: undefined, error: undefined, diagnosis: undefined, heals: 0 }),
      initial: 'calling',
      states: {
        calling: {
          invoke: {
            src: 'call',
            input: ({ context }: { context: HealingContext }) => context.input,
            onDone: { target: 'succeeded', actions: { type: 'keepOutput', params: outputOf } },
            onError: [
              {
                guard: 'isBeyondHeals',
                target: 'failed',
                actions: [
                  { type: 'keepError', params: errorOf },
                  { type: 'tellEnd', params: { reason: 'maxHeals' } },
                ],
              },
              { target: 'diagnosing', actions: { type: 'keepError', params: errorOf } },
            ],
          },
        },
        diagnosing: {
          invoke: {
            src: 'diagnose',
            input: ({ context }: { context: HealingContext }) => patientOf(context),
            onDone: {
              target: 'choosing',
              actions: [{ type: 'keepDiagnosis', params: outputOf }, 'tellDiagnosis'],
            },
            onError: { target: 'failed', actions: { type: 'tellEnd', params: { reason: 'diagnosisFailed' } } },
          },
        },
        choosing: {
          always: [
            ...names.map((remedy) => ({
              guard: { type: 'isRemedy', params: { remedy } } as const,
              target: srcOf(remedy),
            })),
            { target: 'failed', actions: { type: 'tellEnd', params: { reason: 'noRemedy' } } as const },
          ],
        },
        ...Object.fromEntries(names.map((remedy) => [srcOf(remedy), applying(remedy)])),
        succeeded: { type: 'final' },
        failed: failing,
      },
      output: ({ context }: { context: HealingContext }) => context.output,
    });
    return machine as unknown as PolicyMachine<HealingContext, InputFrom<Logic>, OutputFrom<Logic>, HealingFact>;
  };
}

/** The state in which a remedy is applied, and the name of its logic. */
function srcOf(remedy: string): string {
  return `applying ${remedy}`;
}

function applying(remedy: string) {
  return {
    invoke: {
      src: srcOf(remedy),
      input: ({ context }: { context: HealingContext }) => patientOf(context),
      onDone: {
        target: 'calling',
        actions: [
          { type: 'keepInput', params: outputOf },
          { type: 'tellRemedy', params: { remedy } },
        ] as const,
      },
      onError: { target: 'failed', actions: { type: 'tellEnd', params: { reason: 'remedyFailed' } } as const },
    },
  };
}

function patientOf({ input, error, heals, diagnosis }: HealingContext): Patient<unknown> {
  return diagnosis === undefined ? { input, error, heals } : { input, error, heals, diagnosis };
}
