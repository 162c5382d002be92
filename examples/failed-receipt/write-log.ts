/**
 * Writes the log that the tutorial looks into: two days of receipts, orders and payouts in virtual time. Owns what happens
 * when; what the machines and the world do about it is theirs.
 *
 * WL1  The same log each time, ids and times included: time is virtual, and chance is seeded.
 * WL2  A host that dies writes nothing more, and the next one takes over what it left.
 */
import { createRuntime, seededRandom, VirtualClock, type EventLog, type Logger, type Runtime } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { machinesBy } from './machines.ts';
import { beginsAt } from './outside.ts';

type DemoRuntime = Runtime<ReturnType<typeof machinesBy>>;

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Time, the log, and the host that is alive. */
class Stage {
  readonly clock = new VirtualClock(beginsAt);
  readonly #random = seededRandom(45);
  readonly #log: EventLog;
  #hosts = 0;
  #alive: { readonly runtime: DemoRuntime; readonly die: () => void } | undefined;

  constructor(path: string) {
    this.#log = sqliteLog(path, { clock: this.clock, durability: 'process' });
  }

  get runtime(): DemoRuntime {
    return this.#alive!.runtime;
  }

  /** Starts a host, which takes up what another one has left. */
  async begin(): Promise<void> {
    const { log, die } = mortal(this.#log);
    const runtime = await createRuntime({
      log,
      machines: machinesBy(this.clock),
      clock: this.clock,
      random: this.#random,
      logger: silent,
      host: `demo-${++this.#hosts}`,
      lease: false,
      passivate: false,
      keepLogOpen: true,
    });
    this.#alive = { runtime, die };
    await this.#rest();
  }

  /** The host dies in the middle of its work. */
  crash(): void {
    this.#alive!.die();
  }

  /** Lets the time go on to a minute after the beginning. */
  async until(minute: number): Promise<void> {
    await this.clock.advance(beginsAt + minute * 60_000 - this.clock.now(), () => this.#rest());
  }

  async end(): Promise<void> {
    await this.runtime.close();
    await this.#log.close();
    // Who sleeps keeps the process alive.
    await this.clock.advance(60_000);
  }

  /** All that is ready has run, and all that it wrote is in the log. */
  async #rest(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A log that stops answering when its host dies. */
function mortal(log: EventLog): { log: EventLog; die: () => void } {
  let isAlive = true;
  const view = new Proxy(log, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) =>
        isAlive ? (value as (...rest: unknown[]) => unknown).apply(target, given) : new Promise(() => {});
    },
  });
  return { log: view, die: () => void (isAlive = false) };
}

/** Writes the log into a new SQLite file. */
export async function writeLog(path: string): Promise<void> {
  const stage = new Stage(path);
  await stage.begin();
  const receipt = (id: string, file: string, correlationId: string) =>
    stage.runtime.start('receipt', { id, input: { file }, correlationId });

  // A quiet morning.
  await receipt('0041', 'bakery.jpg', 'inbox-0302-1');
  await receipt('0042', 'train.jpg', 'inbox-0302-1');
  await stage.until(5);
  const order1 = await stage.runtime.start('order', {
    id: '1001',
    correlationId: 'shop-1001',
    input: { customer: 'Ada', address: '1 Mill Lane', items: ['lamp', 'bulb'], amountCents: 4_980 },
  });
  await stage.until(8);
  await order1.send({ type: 'CHANGE_ADDRESS', address: '12 Mill Lane' });

  // The bank does not answer for a minute.
  await stage.until(12);
  await stage.runtime.start('order', {
    id: '1002',
    correlationId: 'shop-1002',
    input: { customer: 'Ben', address: '7 Dock Road', items: ['desk'], amountCents: 31_900 },
  });
  await stage.until(15);
  await order1.send({ type: 'HAND_OVER' });

  // The model is overloaded: a receipt is tried again.
  await stage.until(20);
  await receipt('0043', 'hotel.jpg', 'inbox-0302-2');
  // This is the one that fails.
  await stage.until(25);
  await receipt('0044', 'laptop.jpg', 'inbox-0302-2');
  await stage.until(30);
  const order3 = await stage.runtime.start('order', {
    id: '1003',
    correlationId: 'shop-1003',
    input: { customer: 'Cleo', address: '3 Hill Street', items: ['chair'], amountCents: 8_900 },
  });
  await stage.runtime.start('approval', {
    id: 'laptop',
    correlationId: 'inbox-0302-2',
    input: { title: 'A laptop for 1,278.90 EUR', to: 'team lead', details: { receipt: 'receipt-0044' } },
  });
  await stage.until(34);
  await order3.stop({ reason: 'ordered twice' });

  // The model is down: retries, an open breaker, and the reader of this process instead.
  await stage.until(40);
  for (const [id, file] of [
    ['0045', 'taxi.jpg'],
    ['0046', 'lunch.jpg'],
  ] as const)
    await receipt(id, file, 'inbox-0302-3');
  await stage.until(55);
  await receipt('0047', 'paper.jpg', 'inbox-0302-3');

  // The host dies while a receipt is read and another one is posted.
  await stage.until(75);
  await receipt('0048', 'phone.jpg', 'inbox-0302-4');
  await stage.until(75.05);
  stage.crash();
  await stage.until(80);
  await stage.begin();

  // The token for payouts has expired.
  await stage.until(90);
  await stage.runtime.start('payout', {
    id: 'march',
    correlationId: 'payroll-2026-03',
    input: { employee: 'Dana', iban: 'DE02120300000000202051', entries: [1_001, 1_002] },
  });

  // An order goes to the wrong house, is taken back, and is tried another way beside it.
  await stage.until(120);
  const order4 = await stage.runtime.start('order', {
    id: '1004',
    correlationId: 'shop-1004',
    input: { customer: 'Eli', address: '9 Park Avenue', items: ['rug', 'mat'], amountCents: 12_450 },
  });
  await stage.until(122);
  await order4.send({ type: 'CHANGE_ADDRESS', address: '9 Dark Avenue' });
  await stage.until(130);
  const { revision } = await headOf(stage.runtime, 'order-1004');
  await order4.send({ type: 'HAND_OVER' });
  await stage.until(150);
  await stage.runtime.rewind('order-1004', { to: revision });
  await stage.until(151);
  await stage.runtime.fork('order-1004', {
    at: revision,
    id: '1004-again',
    edit: (stimulus) =>
      stimulus.type === 'EventReceived' && stimulus.event.type === 'CHANGE_ADDRESS'
        ? { ...stimulus, event: { type: 'CHANGE_ADDRESS', address: '9 Bark Avenue' } }
        : stimulus,
  });

  // Parcels arrive on the next day; Ben's desk is still waiting for the carrier. The host is closed while a receipt is read.
  await stage.until(30 * 60);
  await receipt('0049', 'flowers.jpg', 'inbox-0303-1');
  await stage.until(30 * 60 + 0.05);
  await stage.end();
}

async function headOf(runtime: DemoRuntime, stream: string) {
  for await (const row of runtime.log.actors({ afterStream: stream.slice(0, -1) }))
    if (row.stream === stream) return row;
  throw new Error(`There is no ${stream}.`);
}
