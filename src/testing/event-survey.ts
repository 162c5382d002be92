/**
 * A map of a machine, drawn by walks of a fixed seed, and the way to a transition on it. Owns what is known of a place, and
 * how walks head for what is seldom reached.
 *
 * ES1  It follows from the machine, its payloads and options alone: a run with the same seed and path sees the same map.
 * ES2  While it is drawn, walks head for the nearest step that nobody took yet.
 * ES3  Later a walk heads for a transition, and the seldomer the survey took it, the likelier it is that one; when it is
 *      taken, for another. One step in eight is any.
 */
import type { Random } from '../clock.ts';
import type { TakenTransition } from './model-tree.ts';

interface Tried {
  count: number;
  readonly taken: Set<TakenTransition>;
  /** Where it led. */
  readonly next: Set<string>;
}

/** Chooses the steps of one walk. */
export interface Guide {
  /** One of the steps that are possible at a place; there is at least one. */
  choose(place: string, steps: readonly string[]): string;
  /** Hears which transitions the chosen step took. */
  took(taken: readonly TakenTransition[]): void;
}

/** Leads a walk to where chance leads. */
export function stroll(random: Random): Guide {
  return { choose: (_, steps) => anyOf(steps, random), took() {} };
}

/** By place how many steps it is away, at least. */
type Distances = ReadonlyMap<string, number>;

/** What walks have shown of a machine so far. */
export class EventSurvey {
  readonly #places = new Map<string, Map<string, Tried>>();
  readonly #taken = new Map<TakenTransition, number>();
  readonly #ways = new Map<TakenTransition, Distances>();

  /** Notes which steps there are at a place. */
  visit(place: string, steps: readonly string[]): void {
    let known = this.#places.get(place);
    if (!known) this.#places.set(place, (known = new Map()));
    for (const step of steps) if (!known.has(step)) known.set(step, { count: 0, taken: new Set(), next: new Set() });
  }

  /** Notes that a step was taken at a place. */
  note(place: string, step: string, taken: readonly TakenTransition[], next: string): void {
    const tried = this.#places.get(place)!.get(step)!;
    tried.count++;
    tried.next.add(next);
    for (const transition of taken) {
      tried.taken.add(transition);
      this.#taken.set(transition, (this.#taken.get(transition) ?? 0) + 1);
    }
  }

  /** ES2. Leads one walk. */
  explore(random: Random): Guide {
    const untried = this.#distances(({ count }) => count === 0);
    const best = (place: string, steps: readonly string[]) => {
      const here = steps.filter((step) => this.#tried(place, step)?.count === 0);
      return here.length > 0 ? here : this.#nearest(place, steps, untried);
    };
    return { choose: (place, steps) => chooseOf(steps, best(place, steps), random), took() {} };
  }

  /** ES3. Leads one walk. */
  lead(random: Random): Guide {
    let goal: TakenTransition | undefined;
    const best = (place: string, steps: readonly string[]) => {
      goal ??= this.#goalFrom(place, random);
      if (!goal) return steps;
      const to = goal;
      const here = steps.filter((step) => this.#tried(place, step)?.taken.has(to));
      return here.length > 0 ? here : this.#nearest(place, steps, this.#wayTo(to));
    };
    return {
      choose: (place, steps) => chooseOf(steps, best(place, steps), random),
      took: (taken) => void (goal && taken.includes(goal) && (goal = undefined)),
    };
  }

  #goalFrom(place: string, random: Random): TakenTransition | undefined {
    const goals = [...this.#taken].filter(([goal]) => this.#wayTo(goal).has(place));
    let at = random() * goals.reduce((sum, [, times]) => sum + 1 / times, 0);
    return goals.find(([, times]) => (at -= 1 / times) < 0)?.[0] ?? goals.at(-1)?.[0];
  }

  #wayTo(goal: TakenTransition): Distances {
    let way = this.#ways.get(goal);
    if (!way) this.#ways.set(goal, (way = this.#distances(({ taken }) => taken.has(goal))));
    return way;
  }

  #tried(place: string, step: string): Tried | undefined {
    return this.#places.get(place)?.get(step);
  }

  #nearest(place: string, steps: readonly string[], distances: Distances): readonly string[] {
    const away = steps.map((step) => distanceBy(this.#tried(place, step), distances));
    const least = Math.min(...away);
    return least === Infinity ? steps : steps.filter((_, index) => away[index] === least);
  }

  /** How far each place is from one with a step of a kind. */
  #distances(isIt: (tried: Tried) => boolean): Distances {
    const distances = new Map<string, number>();
    for (let changed = true; changed;) {
      changed = false;
      for (const [place, steps] of this.#places) {
        const away = Math.min(...[...steps.values()].map((tried) => (isIt(tried) ? 0 : distanceBy(tried, distances))));
        if (away >= (distances.get(place) ?? Infinity)) continue;
        distances.set(place, away);
        changed = true;
      }
    }
    return distances;
  }
}

function distanceBy(tried: Tried | undefined, distances: Distances): number {
  return 1 + Math.min(Infinity, ...[...(tried?.next ?? [])].map((place) => distances.get(place) ?? Infinity));
}

function chooseOf(all: readonly string[], best: readonly string[], random: Random): string {
  return anyOf(random() < 1 / 8 ? all : best, random);
}

function anyOf(steps: readonly string[], random: Random): string {
  return steps[Math.floor(random() * steps.length)]!;
}
