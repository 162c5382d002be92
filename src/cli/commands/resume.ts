/** `rewake resume`: an actor that has ended goes on. */
import { changeActor, changeOptions } from '../change.ts';
import type { CommandSpec } from '../command.ts';
import { parseJson } from '../json-argument.ts';
import { textOption } from '../options.ts';

export const resume: CommandSpec = {
  name: 'resume',
  group: 'change',
  about: 'Let an actor go on that ended with an error',
  detail:
    'What going on means is said by its machine: a flow goes on where it stopped and skips the steps that are done.',
  arguments: [{ name: 'stream', about: 'the actor, such as order-42' }],
  options: [
    { flags: '--from <step>', about: 'where to go on, in the words of the machine' },
    { flags: '--input <json>', about: 'to be used from now on instead of what the actor was started with' },
    ...changeOptions,
  ],
  examples: [
    ['resume app.db order-42', 'go on in the state that it failed in'],
    ['resume app.db order-42 --from charge --dry-run', 'what going on with another step would do'],
  ],
  writes: true,
  run(context, args, options) {
    const stream = args['stream'] as string;
    const from = textOption(options, 'from');
    const given = textOption(options, 'input');
    const input = given === undefined ? undefined : parseJson(given, '--input');
    return changeActor(context, options, {
      stream,
      question: `Resume ${stream}?`,
      nothing: `${stream} has not ended with an error: there is nothing to resume. Nothing was written.`,
      work: (runtime) =>
        runtime.resume(stream, { ...(from !== undefined && { from }), ...(input !== undefined && { input }) }),
    });
  },
};
