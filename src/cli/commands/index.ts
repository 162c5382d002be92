/**
 * Every command of `rewake`, in the order of the help. Owns how they are loaded.
 *
 * LD1  A command line loads the command that it calls and no other: most of the time of a short one goes into loading.
 */
import type { CommandSpec } from '../command.ts';

const working: { readonly [name: string]: () => Promise<CommandSpec> } = {
  ls: async () => (await import('./ls.ts')).ls,
  show: async () => (await import('./show.ts')).show,
  tail: async () => (await import('./tail.ts')).tail,
  replay: async () => (await import('./replay.ts')).replay,
  diff: async () => (await import('./diff.ts')).diff,
  inspect: async () => (await import('./inspect.ts')).inspect,
  explain: async () => (await import('./explain.ts')).explain,
  blame: async () => (await import('./blame.ts')).blame,
  trace: async () => (await import('./trace.ts')).trace,
  handlers: async () => (await import('./handlers.ts')).handlers,
  metrics: async () => (await import('./metrics.ts')).metrics,
  breakers: async () => (await import('./breakers.ts')).breakers,
  verify: async () => (await import('./verify.ts')).verify,
  check: async () => (await import('./check.ts')).check,
  doctor: async () => (await import('./doctor.ts')).doctor,
  capture: async () => (await import('./capture.ts')).capture,
  export: async () => (await import('./export.ts')).exportCommand,
  copy: async () => (await import('./copy.ts')).copy,
  import: async () => (await import('./import.ts')).importCommand,
  send: async () => (await import('./send.ts')).send,
  resume: async () => (await import('./resume.ts')).resume,
  rewind: async () => (await import('./rewind.ts')).rewind,
  fork: async () => (await import('./fork.ts')).fork,
  stop: async () => (await import('./stop.ts')).stop,
  repair: async () => (await import('./repair.ts')).repair,
  run: async () => (await import('./run.ts')).run,
};

const names = [...Object.keys(working), 'completion'];

/** All of them. */
export async function allCommands(): Promise<readonly CommandSpec[]> {
  const [others, { completionOf }] = await Promise.all([
    Promise.all(Object.values(working).map((load) => load())),
    import('./completion.ts'),
  ]);
  return [...others, completionOf(others)];
}

export function isCommand(name: string): boolean {
  return names.includes(name);
}

/** LD1. What has to be loaded for a command line that begins with this word. */
export async function commandsFor(first: string | undefined): Promise<readonly CommandSpec[]> {
  return first !== undefined && Object.hasOwn(working, first) ? [await working[first]!()] : allCommands();
}
