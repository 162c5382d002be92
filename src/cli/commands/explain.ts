/** `rewake explain`: why an actor does not go on. */
import { explainStream } from '../../runtime/explain/explain.ts';
import { commandIn, inCommands } from '../advice.ts';
import type { CommandSpec } from '../command.ts';
import { commandLine } from '../command-line.ts';
import { readingOptions, requireStream } from '../looking.ts';
import { shown, wrapped } from '../terminal.ts';

export const explain: CommandSpec = {
  name: 'explain',
  group: 'explain',
  about: 'Say in plain words where an actor stands, why, and what to do next',
  detail:
    'With the machine in rewake.config.ts it also says which events it accepts, and whether its history can be folded.',
  arguments: [{ name: 'stream', about: 'the actor, such as order-42' }],
  options: [],
  examples: [
    ['explain app.db order-42', 'why it stands where it stands'],
    ['explain app.db order-42 --json', 'the same as data'],
  ],
  async run(context, args) {
    const { terminal } = context;
    const stream = args['stream'] as string;
    const log = await context.log('read');
    await requireStream(log, stream);
    const explanation = await explainStream(log, stream, await readingOptions(context));
    terminal.record('explanation', explanation);
    for (const sentence of explanation.sentences) {
      const text = shown(inCommands(sentence));
      const lines = terminal.isInteractive ? wrapped(text, terminal.columns) : [text];
      for (const line of lines) terminal.line(line);
    }
    // While a host runs, it alone can be told something.
    const isHosted = explanation.owner !== null && explanation.owner.life !== 'dead';
    const next = isHosted ? [] : explanation.next;
    const commands = next.map(commandIn).filter((words) => words !== undefined);
    for (const words of commands) terminal.note(`$ ${commandLine(words, context.logGiven)}`, terminal.noteColor.dim);
  },
};
