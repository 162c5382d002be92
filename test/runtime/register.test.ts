/** Machines that a runtime hears of only later. */
import { expect, it } from 'vitest';
import { recoveryMachines, toolRegistry } from 'rewake/machines';
import { effect } from '../../src/runtime/effect.ts';
import type { MachineEntry, Machines, Migrate } from '../../src/runtime/machines.ts';
import { createRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { ActorBlockedError, InvalidArgumentError, RuntimeClosedError, UnknownMachineError } from '../../src/errors.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const job = (run: () => unknown = () => 'done') =>
  createMachine({
    initial: 'on',
    states: { on: { invoke: { src: effect(run), onDone: 'off' } }, off: { type: 'final' } },
  });

it('starts an actor of a machine that was registered later', async () => {
  const house = new House();
  const runtime = await house.open({});
  expect(await failureOf(runtime.start('job' as never, { id: '1' } as never))).toBeInstanceOf(UnknownMachineError);
  runtime.register({ job: job() });
  await runtime.start('job' as never, { id: '1' } as never);
  await rest();
  expect((await house.types('job-1')).at(-1)).toBe('EffectSucceeded');
});

it('takes up an actor that was blocked because its machine was not known', async () => {
  const house = new House();
  const { runtime, crash } = await house.openToCrash({ job: job(() => new Promise(() => {})) });
  await runtime.start('job', { id: '1' });
  await rest();
  crash();
  const next = await house.open({});
  expect(await failureOf(next.get('job-1'))).toBeInstanceOf(ActorBlockedError);
  next.register({ other: job() });
  expect(await failureOf(next.get('job-1'))).toBeInstanceOf(ActorBlockedError);
  next.register({ job: job() });
  await (await next.get('job-1')).output();
  expect((await house.types('job-1')).at(-1)).toBe('EffectSucceeded');
});

it('takes up an actor whose machine is registered while its history is read', async () => {
  const house = new House();
  const before = await house.open({ job: job() });
  await (await before.start('job', { id: '1' })).output();
  /** Registers it when the reading has been given up, and before anybody is told of it. */
  class Late extends FaultyLog {
    override async *readStream(...args: Parameters<FaultyLog['readStream']>) {
      try {
        yield* super.readStream(...args);
      } finally {
        if (!registered) runtime.register({ job: machine });
        registered = true;
      }
    }
  }
  let registered = false;
  const machine = job();
  const runtime: Runtime = await house.open<Machines>({}, { log: new Late(house.log) });
  await runtime.get('job-1');
});

it('knows a machine once, and refuses another of its name with all that came along', async () => {
  const house = new House();
  const machine = job();
  const runtime = await house.open({ job: machine });
  runtime.register({ job: machine });
  expect(() => runtime.register({ more: job(), job: job() })).toThrow(InvalidArgumentError);
  expect(() => runtime.register({ more: job(), job: job() })).toThrow('machines.job: there is another machine');
  expect(() => runtime.register({ 'a-b': machine })).toThrow('Not a machine name');
  expect(() => runtime.register(undefined as never)).toThrow(
    'register(machines): expected machines by their names, found undefined.',
  );
  expect(await failureOf(runtime.start('more' as never, { id: '1' } as never))).toBeInstanceOf(UnknownMachineError);
  await runtime.close();
  expect(() => runtime.register({ more: machine })).toThrow(RuntimeClosedError);
});

it.each([
  [
    'a module of machines',
    { recoveryMachines },
    'found an object. It holds machines by their names: spread it, as in { ...recoveryMachines }.',
  ],
  [
    'a tool registry',
    { tools: toolRegistry({ tools: { add: { run: () => 1 } } }) },
    "found an object. There is a machine in it: pass that, its 'executor'.",
  ],
  ['a function', { a: () => 1 }, "found a function. Wrap it, as in step('a', fn) of 'rewake/machines'."],
  [
    'an effect',
    { a: effect(() => 1) },
    "found an object. It is actor logic of another kind: give step('a', fn) of 'rewake/machines', or a machine that invokes it.",
  ],
  ['an effect as a version', { a: [effect(() => 1)] }, 'found an object. It is actor logic of another kind'],
  ['nothing', { a: undefined }, 'found undefined. Is it exported, and not imported in a circle?'],
  [
    'a definition',
    { a: { initial: 'on', states: { on: {} } } },
    'found an object. Pass what createMachine() or setup().createMachine() returns.',
  ],
])('refuses %s, and says what to give', async (_, machines: object, message) => {
  const error = await failureOf(createRuntime({ machines: machines as Machines }));
  expect(error).toBeInstanceOf(InvalidArgumentError);
  const [name] = Object.keys(machines);
  expect((error as Error).message).toContain(
    `machines.${name}: expected a machine, a list of its versions, or { versions, migrate }, ${message}`,
  );
});

it('refuses other ways to migrate under a name that is known', async () => {
  const machine = job();
  const migrate: Migrate = (state) => state;
  const runtime = await new House().open({ job: { versions: [machine], migrate } });
  runtime.register({ job: { versions: [machine], migrate } });
  const others: MachineEntry[] = [machine, { versions: [machine], migrate: (state) => state }];
  for (const other of others) {
    expect(() => runtime.register({ job: other })).toThrow(InvalidArgumentError);
  }
});

it('listens with a function', async () => {
  const runtime = await new House().open({ job: job() });
  expect(() => runtime.on('job-1', '*', undefined as never)).toThrow(
    'runtime.on(handler): expected a function, found undefined',
  );
});
