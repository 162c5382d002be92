/** `rewake rewind`: an actor goes back to where it was. */
import { changeActor, changeOptions } from '../change.ts';
import type { CommandSpec } from '../command.ts';
import { wholeNumber } from '../options.ts';

export const rewind: CommandSpec = {
  name: 'rewind',
  group: 'change',
  about: 'Take an actor back to the state it was in at a revision',
  detail:
    'Nothing is deleted: what came after that revision stays in the stream and is passed over. Effects that had no outcome then ' +
    'are lost ones for the next host, which goes by their onLost.',
  arguments: [
    { name: 'stream', about: 'the actor, such as order-42' },
    { name: 'revision', about: 'where to go back to' },
  ],
  options: changeOptions,
  examples: [
    ['rewind app.db order-42 17', 'back to revision 17'],
    ['rewind app.db order-42 17 --dry-run', 'what would be appended'],
  ],
  writes: true,
  run(context, args, options) {
    const stream = args['stream'] as string;
    const to = wholeNumber(args['revision'] as string, '<revision>');
    return changeActor(context, options, {
      stream,
      question: `Take ${stream} back to revision ${to}?`,
      nothing: 'Nothing was written.',
      work: (runtime) => runtime.rewind(stream, { to }),
    });
  },
};
