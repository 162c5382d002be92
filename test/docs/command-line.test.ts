/** The page about the command says what its specs say. Run with -u to write it. */
import { format } from 'prettier';
import { expect, it } from 'vitest';
import type { CommandSpec } from '../../src/cli/command.ts';
import { allCommands } from '../../src/cli/commands/index.ts';
import { exitCodes } from '../../src/cli/exit-code.ts';
import { ownOptionsOf, sharedOptions } from '../../src/cli/all-options.ts';
import { groups, usageOf } from '../../src/cli/program.ts';
import { predicateNames } from '../../src/replay/predicate.ts';

const commands = await allCommands();

const meaning: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'it is done',
  failure: 'something went wrong that is none of the following: the log cannot be opened, or a person said no',
  usage: 'the command line or the config asks for something that cannot be',
  notFound: 'there is no such stream, correlation or value',
  found:
    'something was found that stops a deploy: damage, a violated invariant, a divergence, an actor that would be blocked',
  conflict: 'a change is refused: the log has another owner, the stream was written to meanwhile, the actor has ended',
  interrupted: 'it was ended by SIGINT',
  terminated: 'it was ended by SIGTERM',
};

const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``;
const cell = (text: string) => text.replaceAll('|', '\\|');

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}

function optionRows(options: ReturnType<typeof sharedOptions>): string[][] {
  return options.map(({ flags, description, argChoices, defaultValue }) => {
    const choices = argChoices ? `: ${argChoices.map(code).join(', ')}` : '';
    const fallback = defaultValue === undefined ? '' : `; ${code(String(defaultValue))} when omitted`;
    return [code(flags), `${cell(description)}${choices}${fallback}`];
  });
}

function sectionOf(spec: CommandSpec): string {
  const { name, about, detail, examples } = spec;
  const width = Math.max(...examples.map(([line]) => line.length));
  const shell = examples.map(([line, does]) => `rewake ${line.padEnd(width)}  # ${does}`);
  const words = spec.arguments.map(({ name: word, about: says, optional }) => {
    return [code(word), `${cell(says)}${optional ? '; may be left out' : ''}`];
  });
  const options = optionRows(ownOptionsOf(spec));
  return [
    `### ${name}`,
    `${about}. ${detail ?? ''}`.trim(),
    ['```sh no-run', ...shell, '```'].join('\n'),
    ['```text', `rewake ${name} ${usageOf(spec)}`, '```'].join('\n'),
    ...(words.length > 0 ? [table(['argument', 'meaning'], words)] : []),
    ...(options.length > 0 ? [table(['option', 'meaning'], options)] : []),
  ].join('\n\n');
}

const beginning = `
# The rewake command

_Reference._ Every command, its options and its exit codes. Written from the commands themselves by a test; do not edit.

\`\`\`sh no-run
npx rewake ls app.db                     # which actors there are
npx rewake explain app.db order-42       # why one stands where it stands
npx rewake inspect app.db                # look at it in the browser
\`\`\`

## Conventions

- **The log** is the first word: the path of a SQLite file, a \`file:\` URL, a \`postgres:\` URL (\`?schema=orders\` names the
  schema), an exported file (\`.jsonl\`), or \`-\` for an exported one on stdin. It may be left out where \`log\` in \`rewake.config.ts\` says it. A first word is the log if it is \`-\`, a URL, ends with \`.db\`,
  \`.sqlite\`, \`.sqlite3\` or \`.jsonl\`, or is the path of a file, or if there is a word too many without it; \`--log <log>\` settles it.
- **A log that is read is not changed**: it is not created, not brought up to date, and no lease is taken. A host may run on it.
- **Machines** are those of the nearest \`rewake.config.ts\` (\`.mts\`, \`.js\`, \`.mjs\`), looked for from the current folder upwards, or of
  \`--config <file>\`. Without them streams are looked at from what the log holds.
- **Data** is on stdout and everything else on stderr. With \`--json\` each piece of data is one line, \`{ "v": 1, "type": …, … }\`; times are
  ms since the epoch, and what an event calls its type is \`eventType\`. An error is a line on stderr, \`{ "v": 1, "type": "error", "code": …, "message": … }\`.
  Text is for people and may change. Times in it are UTC.
- **Colours** are on where stdout is a terminal; \`NO_COLOR\`, \`FORCE_COLOR\` and \`--no-color\` are heeded.
- **Questions** are asked on a terminal alone, before something is written: \`--yes\` answers them, \`--dry-run\` says what would be done,
  \`--no-input\` forbids them.
`;

const config = `
## rewake.config.ts

\`defineConfig\` of \`rewake/config\` gives back what it is given, and has its type checked, a \`RewakeConfig\`:

\`\`\`ts
import { setup } from 'xstate';
import { defineConfig } from 'rewake/config';

const order = setup({}).createMachine({ id: 'order', initial: 'open', states: { open: {} } });

export default defineConfig({ log: 'app.db', machines: { order } });
\`\`\`

| field | meaning |
| --- | --- |
| \`log\` | a path or a URL; a path is taken from the folder of the config file |
| \`machines\`, \`upcasters\`, \`snapshots\`, \`environment\`, \`features\`, \`logger\` | as in \`createRuntime\`: see [runtime](runtime.md) |
| \`onStart\` | called by \`rewake run\` with the runtime once it is up, for example to start schedules |

The file may import TypeScript. What it imports as \`rewake\` is the package of its project; where the project has none, the one that the
command is of.
`;

it('every command is described as it is', async () => {
  const sections = Object.entries(groups).flatMap(([group, title]) => {
    const own = commands.filter((spec) => spec.group === group);
    return own.length === 0 ? [] : [`## ${title.replace(/:$/, '')}`, ...own.map(sectionOf)];
  });
  const page = [
    beginning.trim(),
    'Options of every command; `--dry-run` and `--yes` only of those that write, and `--log` not of `doctor` and `completion`:',
    table(['option', 'meaning'], optionRows(sharedOptions({ writes: true }))),
    '## Exit codes',
    table(
      ['code', 'meaning'],
      Object.entries(exitCodes).map(([name, value]) => [code(String(value)), meaning[name as keyof typeof meaning]]),
    ),
    config.trim(),
    ...sections,
    '## Expressions',
    'An expression of `--until` is a JavaScript expression. It sees a frame and nothing else:',
    table(
      ['name', 'what it is'],
      Object.entries(predicateNames).map(([name, says]) => [code(name), cell(says)]),
    ),
    '`framePredicate(expression)` of `rewake/replay` makes such a predicate for `Replay.find`. What is not there yet makes it false: `context.cart.total > 3` holds nowhere before there is a cart.',
  ].join('\n\n');
  const text = await format(page, { parser: 'markdown', printWidth: 120, singleQuote: true });
  await expect(text).toMatchFileSnapshot('../../docs/reference/cli.md');
});

it('every command has examples of itself, and says what it does in one line', () => {
  for (const { name, examples, about } of commands) {
    expect(examples.length, name).toBeGreaterThanOrEqual(2);
    for (const [line] of examples) expect(line, name).toMatch(new RegExp(`(?:^|\\| rewake )${name}\\b`));
    expect(about, name).toMatch(/^[A-Z].*[^.]$/);
  }
});
