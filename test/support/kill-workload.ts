/**
 * What the client of the killed process asks for: actors to start, entries for ledgers, endless payments to stop. Owns
 * the choice, which follows a seed; sending and repeating is kill-client.ts.
 */
import type { Random } from '../../src/clock.ts';
import type { CommandSource } from './kill-client.ts';
import { journalStream, type AlarmInput, type PaymentInput } from './kill-machines.ts';
import type { Command } from './kill-process.ts';

/** More calls than a run has time for: such a payment ends only by a stop. */
const endless = 1_000_000;
const openLedgersMax = 3;
const repeatableMax = 40;

interface OpenLedger {
  readonly stream: string;
  entriesLeft: number;
  started: boolean;
}

export class KillWorkload implements CommandSource {
  /** Streams of every actor that was asked for, by what becomes of it. */
  readonly finishing: string[] = [];
  readonly stopped: string[] = [];
  readonly #random: Random;
  readonly #acknowledged: Command[] = [];
  #issued = 0;
  #ledgers: OpenLedger[] = [];
  #unstopped: string[] = [];
  /** How many payments and alarms may be started still: a few for every life, so that each finds some at work. */
  #allowance = 8;
  #closing = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Another life begins: some more work for it. */
  refill(): void {
    this.#allowance = Math.min(8, this.#allowance + 3);
  }

  /** From now on nothing new is begun, and what waits for an end gets it. */
  wrapUp(): void {
    this.#closing = true;
  }

  acknowledged(command: Command): void {
    if (command.do === 'start') {
      const ledger = this.#ledgers.find(({ stream }) => stream === `${command.machine}-${command.actor}`);
      if (ledger) ledger.started = true;
    }
    this.#acknowledged.push(command);
    if (this.#acknowledged.length > repeatableMax) this.#acknowledged.shift();
  }

  next(): Command | undefined {
    if (this.#issued === 0) return this.#start('journal', '1', undefined);
    if (this.#closing) return this.#end();
    if (this.#random() < 0.08 && this.#acknowledged.length > 0) return this.#pick(this.#acknowledged);
    if (this.#unstopped.length > 3) return this.#stop();
    if (this.#allowance > 0 && this.#random() < 0.2) return this.#startWorker();
    if (this.#ledgers.length < openLedgersMax) return this.#startLedger();
    const ready = this.#ledgers.filter(({ started }) => started);
    return ready.length > 0 ? this.#feed(this.#pick(ready)) : undefined;
  }

  #end(): Command | undefined {
    const ledger = this.#ledgers.find(({ started }) => started);
    if (ledger) return this.#close(ledger);
    return this.#unstopped.length > 0 ? this.#stop() : undefined;
  }

  #startWorker(): Command {
    this.#allowance--;
    const id = `${this.#issued}`;
    const kind = this.#random();
    if (kind < 0.4) {
      const input: AlarmInput = { rings: 2 + this.#below(6), delayMsMax: 5 + this.#below(120) };
      this.finishing.push(`alarm-${id}`);
      return this.#start('alarm', id, input);
    }
    const patienceMs = this.#random() < 0.3 ? 8 : 60_000;
    const ends = kind < 0.9;
    const input: PaymentInput = { calls: ends ? 2 + this.#below(6) : endless, patienceMs };
    if (ends) this.finishing.push(`payment-${id}`);
    else this.#unstopped.push(`payment-${id}`);
    return this.#start('payment', id, input);
  }

  #startLedger(): Command {
    const id = `${this.#issued}`;
    const stream = `ledger-${id}`;
    this.#ledgers.push({ stream, entriesLeft: 4 + this.#below(30), started: false });
    this.finishing.push(stream);
    return this.#start('ledger', id, undefined);
  }

  #feed(ledger: OpenLedger): Command {
    if (ledger.entriesLeft-- === 0) return this.#close(ledger);
    const id = this.#nextId();
    const event = { type: 'add', entry: id, post: this.#random() < 0.2 };
    const correlationId = this.#random() < 0.5 ? `request ${id}` : undefined;
    return { id, do: 'send', stream: ledger.stream, event, correlationId };
  }

  #close(ledger: OpenLedger): Command {
    this.#ledgers = this.#ledgers.filter((each) => each !== ledger);
    return { id: this.#nextId(), do: 'send', stream: ledger.stream, event: { type: 'close' } };
  }

  /** The oldest first: its start is acknowledged before it is this one's turn, or soon after. */
  #stop(): Command {
    const stream = this.#unstopped.shift()!;
    this.stopped.push(stream);
    return { id: this.#nextId(), do: 'stop', stream };
  }

  #start(machine: string, actor: string, input: unknown): Command {
    return { id: this.#nextId(), do: 'start', machine, actor, input };
  }

  #nextId(): string {
    return `c${this.#issued++}`;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!;
  }

  /** The journal's end, which must come after everyone who writes to it. */
  closeJournal(): Command {
    this.finishing.push(journalStream);
    return { id: this.#nextId(), do: 'send', stream: journalStream, event: { type: 'close' } };
  }
}
