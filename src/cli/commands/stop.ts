/** `rewake stop`: an actor ends. */
import { changeActor, changeOptions } from '../change.ts';
import type { CommandSpec } from '../command.ts';
import { textOption } from '../options.ts';

export const stop: CommandSpec = {
  name: 'stop',
  group: 'change',
  about: 'End an actor on purpose',
  detail: 'It has no output, and cannot be resumed; it can be rewound.',
  arguments: [{ name: 'stream', about: 'the actor, such as order-42' }],
  options: [{ flags: '--reason <text>', about: 'kept with the event' }, ...changeOptions],
  examples: [
    ['stop app.db order-42', 'end it'],
    ['stop app.db order-42 --reason "a test order" --yes', 'say why, and ask nothing'],
  ],
  writes: true,
  run(context, args, options) {
    const stream = args['stream'] as string;
    const reason = textOption(options, 'reason');
    return changeActor(context, options, {
      stream,
      question: `Stop ${stream} for good?`,
      nothing: `${stream} has ended already. Nothing was written.`,
      work: async (runtime) => (await runtime.get(stream)).stop(reason === undefined ? {} : { reason }),
    });
  },
};
