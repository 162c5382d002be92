/** `rewake send`: an event for an actor. */
import type { AnyEventObject } from 'xstate';
import { changeActor, changeOptions } from '../change.ts';
import type { CommandSpec } from '../command.ts';
import { jsonObject } from '../json-argument.ts';
import { textOption } from '../options.ts';
import { UsageError } from '../usage-error.ts';

export const send: CommandSpec = {
  name: 'send',
  group: 'change',
  about: 'Send an event to an actor while no host runs on the log',
  detail:
    'The event is recorded, and what the machine does with it. Effects that it begins are left to the next host, which runs them ' +
    'for the first time.',
  arguments: [
    { name: 'stream', about: 'the actor, such as order-42' },
    { name: 'event', about: 'type of the event' },
  ],
  options: [
    { flags: '-d, --data <json>', about: "what else is in the event, a JSON object; '-' reads it from stdin" },
    { flags: '--message-id <id>', about: 'an event with an id that the actor has seen changes nothing' },
    ...changeOptions,
  ],
  examples: [
    ['send app.db order-42 APPROVE --dry-run', 'what would come of it'],
    [`send app.db order-42 PAY --data '{"amount":3}' --yes`, 'without a question'],
    ['send app.db order-42 PAY --data - < payment.json', 'data from a file'],
  ],
  writes: true,
  async run(context, args, options) {
    const stream = args['stream'] as string;
    const type = args['event'] as string;
    const given = textOption(options, 'data');
    const data = given === undefined ? {} : await jsonObject(given, '--data', context.io);
    if ('type' in data && data['type'] !== type) {
      throw new UsageError(
        `--data: its type is ${JSON.stringify(data['type'])}, and the event is to be '${type}'. Leave it out of the data.`,
      );
    }
    const messageId = textOption(options, 'messageId');
    return changeActor(context, options, {
      stream,
      question: `Send ${type} to ${stream}?`,
      nothing: `${stream} has seen the message '${messageId}' already. Nothing was written.`,
      work: (runtime) =>
        runtime.send(stream, { ...data, type } as AnyEventObject, messageId === undefined ? {} : { messageId }),
    });
  },
};
