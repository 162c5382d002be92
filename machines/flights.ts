/**
 * Flights: calls of this process that are the same, of which only one is made. Owns who makes it and who is told what came
 * of it. A flight belongs to running calls, so it ends with its process and nothing of it is on a log.
 *
 * FL1  One leads: it makes the call. The others follow, and are told what came of it, a failure too.
 * FL2  A leader that leaves without an outcome hands the lead to the follower that waits longest.
 * FL3  A follower that finds the same leader after its patience is over takes the lead from it; of several, the first one.
 *      A leader that lost the lead may still bring a result, and no failure.
 * FL4  Nobody is told anything after it left.
 */

/** What a passenger is told. */
export type FlightNews =
  | { readonly type: 'flight.led' }
  | { readonly type: 'flight.landed'; readonly value: unknown }
  | { readonly type: 'flight.failed'; readonly error: unknown };

/** What a passenger tells. */
export type FlightReport =
  | { readonly type: 'call.answered'; readonly value: unknown }
  | { readonly type: 'call.failed'; readonly error: unknown }
  /** It has waited as long as it waits for one leader. */
  | { readonly type: 'patience.ended' };

interface Passenger {
  readonly tell: (news: FlightNews) => void;
  /** For whom it waits. */
  leader: Passenger | undefined;
}

/** Somebody's place in a flight. */
export interface Seat {
  report(report: FlightReport): void;
  leave(): void;
}

class Flight {
  readonly #name: string;
  #leader: Passenger | undefined;
  #followers: Passenger[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** @param leads it makes its call already, since an earlier life of its process */
  board(tell: (news: FlightNews) => void, leads: boolean): Seat {
    const passenger: Passenger = { tell, leader: this.#leader };
    if (leads) this.#leader ??= passenger;
    else if (this.#leader) this.#followers.push(passenger);
    else this.#giveLead(passenger);
    return { report: (report) => this.#hear(passenger, report), leave: () => this.#leave(passenger) };
  }

  #hear(passenger: Passenger, report: FlightReport): void {
    switch (report.type) {
      case 'call.answered':
        return this.#end({ type: 'flight.landed', value: report.value });
      case 'call.failed':
        if (passenger === this.#leader) this.#end({ type: 'flight.failed', error: report.error });
        return;
      case 'patience.ended':
        return this.#losePatience(passenger);
    }
  }

  /** FL1. Who comes now begins another flight. */
  #end(news: FlightNews): void {
    if (flights.get(this.#name) === this) flights.delete(this.#name);
    const followers = this.#followers;
    this.#followers = [];
    for (const { tell } of followers) tell(news);
  }

  /** FL3. */
  #losePatience(passenger: Passenger): void {
    if (!this.#followers.includes(passenger)) return;
    if (passenger.leader === this.#leader) this.#giveLead(passenger);
    else passenger.leader = this.#leader;
  }

  #giveLead(passenger: Passenger): void {
    this.#followers = this.#followers.filter((other) => other !== passenger);
    this.#leader = passenger;
    passenger.tell({ type: 'flight.led' });
  }

  /** FL2. */
  #leave(passenger: Passenger): void {
    this.#followers = this.#followers.filter((other) => other !== passenger);
    if (passenger !== this.#leader) return;
    const next = this.#followers[0];
    if (next) return this.#giveLead(next);
    this.#leader = undefined;
    if (flights.get(this.#name) === this) flights.delete(this.#name);
  }
}

const flights = new Map<string, Flight>();

/** How many flights there are in this process. */
export function flightCount(): number {
  return flights.size;
}

/** Forgets who flies: for tests, in which one process plays several. */
export function forgetFlights(): void {
  flights.clear();
}

/** Takes a seat in the flight of this name: `tell` is called at once where nobody leads it yet. */
export function board(name: string, tell: (news: FlightNews) => void, leads = false): Seat {
  let flight = flights.get(name);
  if (!flight) flights.set(name, (flight = new Flight(name)));
  return flight.board(tell, leads);
}
