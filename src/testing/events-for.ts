/**
 * Sequences of events that a machine accepts, as an arbitrary. Owns how a sequence is drawn and how it shrinks; what is
 * possible where is model-walk.ts's, what is worth trying event-survey.ts's.
 *
 * EF1  Every event of every sequence, a shrunk one too, is one that the machine does something with in the state that it
 *      is in then, given what its effects came to in the walk.
 * EF2  A sequence shrinks by leaving out steps, then by what its events carry: each by its own arbitrary.
 * EF3  What a walk learns is forgotten after it: the seed and the path of a failure give the same sequence again.
 */
import { Arbitrary, sample, Stream, Value, type Random as Draw } from 'fast-check';
import type { AnyEventObject, AnyStateMachine } from 'xstate';
import { seededRandom } from '../clock.ts';
import { InvalidArgumentError } from '../errors.ts';
import { EventSurvey, stroll, type Guide } from './event-survey.ts';
import { eventSources, typesFor, type EventPayloads, type EventSource } from './model-payloads.ts';
import type { ModelScript, ModelStep } from './model-step.ts';
import type { TakenTransition } from './model-tree.ts';
import { ModelWalk, type WalkOptions } from './model-walk.ts';
import type { ScenarioEvent } from './scenario.ts';

/** How sequences of events are drawn. */
export interface EventsOptions extends WalkOptions {
  /** How many events a sequence has at most; 20 when omitted. */
  readonly maxLength?: number;
  /** False where every step that is possible is equally likely; how much the weights help is seen by it. */
  readonly weighted?: boolean;
}

/**
 * Sequences of events that the machine accepts in the state it is in, such that rare transitions are reached. Time passes
 * between them where only a delay leads on: then an event is a pair, `[afterMs, event]`.
 * @param payloads what events carry, by their type; one that is left out carries nothing
 * @throws InvalidArgumentError for a type of event that the machine never takes, and for options that cannot work
 *
 * @example
 * const events = eventsFor(door, { open: fc.record({ key: fc.nat(9) }), close: {} });
 */
export function eventsFor<Machine extends AnyStateMachine>(
  machine: Machine,
  payloads: EventPayloads<Machine> = {},
  options: EventsOptions = {},
): Arbitrary<readonly ScenarioEvent[]> {
  return scriptsFor(machine, payloads, options).map(({ events }) => events);
}

/**
 * The same, with what the effects came to: a sequence fits the answers that it was drawn with.
 * @throws InvalidArgumentError as {@link eventsFor} does
 */
export function scriptsFor<Machine extends AnyStateMachine>(
  machine: Machine,
  payloads: EventPayloads<Machine> = {},
  options: EventsOptions = {},
): Arbitrary<ModelScript> {
  const { maxLength = 20 } = options;
  if (!Number.isInteger(maxLength) || maxLength < 0)
    throw InvalidArgumentError.of('eventsFor(…).maxLength', 'a whole number of at least 0', maxLength);
  return new ScriptArbitrary(machine, eventSources(machine, payloads, 'payloads of eventsFor'), maxLength, options);
}

type OtherStep = Exclude<ModelStep, { kind: 'event' }>;

/** A step that may be tried: which event of its type it sends is drawn when it is its turn. */
type Candidate = OtherStep | { readonly kind: 'type'; readonly type: string };

/** A step that was taken; of an event with what it takes to shrink it. */
type Taken = OtherStep | { readonly kind: 'event'; readonly drawn: Value<AnyEventObject> };

/** How often a payload is drawn anew that the machine refuses in its state. */
const drawsMax = 8;
const surveyWalks = 120;

class ScriptArbitrary extends Arbitrary<ModelScript> {
  readonly #machine: AnyStateMachine;
  readonly #sources: ReadonlyMap<string, EventSource>;
  readonly #maxLength: number;
  readonly #options: EventsOptions;
  #survey: EventSurvey | undefined;

  constructor(
    machine: AnyStateMachine,
    sources: ReadonlyMap<string, EventSource>,
    maxLength: number,
    options: EventsOptions,
  ) {
    super();
    this.#machine = machine;
    this.#sources = sources;
    this.#maxLength = maxLength;
    this.#options = options;
  }

  override generate(draw: Draw, bias: number | undefined): Value<ModelScript> {
    const random = () => draw.nextInt(0, 2 ** 30 - 1) / 2 ** 30;
    const guide =
      this.#options.weighted === false ? stroll(random) : (this.#survey ??= this.#makeSurvey()).lead(random);
    // What a short sequence shows a long one shows, too: few are short.
    const length = random() < 1 / 4 ? draw.nextInt(0, this.#maxLength) : this.#maxLength;
    const event = (walk: ModelWalk, type: string) => {
      for (let attempt = 0; attempt < drawsMax; attempt++) {
        const drawn = this.#sources.get(type)!.generate(draw, bias);
        if (walk.accepts(drawn.value)) return drawn;
      }
      return undefined;
    };
    return this.#go(length, guide, event);
  }

  override canShrinkWithoutContext(_: unknown): _ is ModelScript {
    return false;
  }

  override shrink(_: ModelScript, context: unknown): Stream<Value<ModelScript>> {
    return new Stream(this.#smaller(context as readonly Taken[]));
  }

  /** EF2. The largest cuts come first. */
  *#smaller(steps: readonly Taken[]): Generator<Value<ModelScript>, undefined> {
    for (let size = steps.length; size >= 1; size = Math.floor(size / 2)) {
      for (let from = 0; from < steps.length; from += size) {
        yield this.#replay(steps.toSpliced(from, size));
      }
    }
    for (const [index, step] of steps.entries()) {
      if (step.kind !== 'event') continue;
      const { value, context } = step.drawn;
      for (const drawn of this.#sources.get(value.type)!.shrink(value, context)) {
        const smaller = this.#replay(steps.with(index, { kind: 'event', drawn }), steps.length);
        if (smaller) yield smaller;
      }
    }
  }

  /**
   * EF1. Takes the steps that are still possible.
   * @param length how many that have to be, for an answer
   */
  #replay(steps: readonly Taken[]): Value<ModelScript>;
  #replay(steps: readonly Taken[], length: number): Value<ModelScript> | undefined;
  #replay(steps: readonly Taken[], length?: number): Value<ModelScript> | undefined {
    const walk = new ModelWalk(this.#machine, this.#options);
    const taken = steps.filter((step) => walk.take(stepOf(step)) !== undefined);
    return length === undefined || taken.length === length ? new Value(walk.script, taken) : undefined;
  }

  /** ES1, ES2. */
  #makeSurvey(): EventSurvey {
    const survey = new EventSurvey();
    const random = seededRandom(1);
    const samples = new Map(
      [...this.#sources].map(([type, source]) => [type, sample(source, { seed: 1, numRuns: drawsMax })] as const),
    );
    const event = (walk: ModelWalk, type: string) => {
      const events = samples.get(type)!;
      const from = Math.floor(random() * events.length);
      const accepted = [...events.slice(from), ...events.slice(0, from)].find((each) => walk.accepts(each));
      return accepted && new Value(accepted, undefined);
    };
    for (let walks = 0; walks < surveyWalks; walks++) this.#go(this.#maxLength, survey.explore(random), event, survey);
    return survey;
  }

  /** Walks on until so many events were sent, or nothing is left to do. */
  #go(
    length: number,
    guide: Guide,
    draw: (walk: ModelWalk, type: string) => Value<AnyEventObject> | undefined,
    survey?: EventSurvey,
  ): Value<ModelScript> {
    const walk = new ModelWalk(this.#machine, this.#options);
    const steps: Taken[] = [];
    let place = walk.place;
    // Outcomes and delays are steps, too, and a machine that is sent nothing may have them for ever.
    for (let events = 0; events < length && steps.length < 4 * length;) {
      const candidates = this.#candidates(walk);
      survey?.visit(place, [...candidates.keys()]);
      const next = takeOne(walk, candidates, () => guide.choose(place, [...candidates.keys()]), draw);
      if (!next) break;
      steps.push(next.step);
      if (next.step.kind === 'event') events++;
      guide.took(next.taken);
      const left = place;
      place = walk.place;
      survey?.note(left, next.name, next.taken, place);
    }
    return new Value(walk.script, steps);
  }

  /** By name, which is what the survey knows a step by. */
  #candidates(walk: ModelWalk): Map<string, Candidate> {
    const { eventTypes, openEffects, nextDueMs } = walk;
    const types = typesFor(eventTypes, this.#sources).map((type): [string, Candidate] => [
      type,
      { kind: 'type', type },
    ]);
    const outcomes = openEffects.flatMap(({ path: effect, outcomes }) =>
      outcomes.map((answer, index): [string, Candidate] => [`${effect} ${index}`, { kind: 'outcome', effect, answer }]),
    );
    const delays: [string, Candidate][] = nextDueMs === undefined ? [] : [['', { kind: 'delay', ms: nextDueMs }]];
    return new Map([...types, ...outcomes, ...delays]);
  }
}

/** Takes the chosen step, or another where it turns out not to be possible; what is not possible is taken off the list. */
function takeOne(
  walk: ModelWalk,
  candidates: Map<string, Candidate>,
  choose: () => string,
  draw: (walk: ModelWalk, type: string) => Value<AnyEventObject> | undefined,
): { name: string; step: Taken; taken: readonly TakenTransition[] } | undefined {
  while (candidates.size > 0) {
    const name = choose();
    const candidate = candidates.get(name)!;
    const drawn = candidate.kind === 'type' ? draw(walk, candidate.type) : undefined;
    const step: Taken | undefined = candidate.kind === 'type' ? drawn && { kind: 'event', drawn } : candidate;
    const taken = step && walk.take(stepOf(step));
    if (step && taken) return { name, step, taken };
    candidates.delete(name);
  }
  return undefined;
}

function stepOf(step: Taken): ModelStep {
  return step.kind === 'event' ? { kind: 'event', event: step.drawn.value } : step;
}
