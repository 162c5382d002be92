/**
 * What the library advises, as commands: its messages name functions, and whoever reads them here has the command. Owns the
 * translation.
 *
 * AD1  What has no command stays as it is.
 */
import { commandLine } from './command-line.ts';

/** A call as messages write it, and the words of the command that does the same, or what else is said in its place. */
type Translation = readonly [call: RegExp, translated: (parts: readonly string[]) => readonly string[] | string];

const translations: readonly Translation[] = [
  [/verifyLog\(log\)/g, () => ['verify']],
  [/repairLog\(log, \{ quarantine: true, stream: '([^']*)' \}\)/g, ([stream]) => ['repair', stream!]],
  [/repairLog\(log, \{ quarantine: true \}\)/g, () => ['repair']],
  [/runtime\.resume\('([^']*)'\)/g, ([stream]) => ['resume', stream!]],
  [/(?:call )?runtime\.resume\(\)/g, () => ['run']],
  [/runtime\.rewind\('([^']*)', \{ to: (\d+) \}\)/g, ([stream, to]) => ['rewind', stream!, to!]],
  [/runtime\.rewind\('([^']*)', \{ to \}\)/g, ([stream]) => `'rewake rewind ${stream!} <revision>'`],
  [/runtime\.fork\(\)/g, () => ['fork']],
  [
    /runtime\.send\('([^']*)', \{ type: '([^']*)'((?:, \w+: '[^']*')*) \}\)/g,
    ([stream, type, data]) => ['send', stream!, type!, ...(data === '' ? [] : ['--data', jsonOf(data!)])],
  ],
  [
    /explainStream\(log, '[^']*', \{ machines \}\) says/g,
    () => 'this command says where rewake.config.ts has its machine',
  ],
  [
    /in createRuntime\(\{ machines \}\) or by runtime\.register\(\{[^}]*\}\)/g,
    () => "in 'machines' of rewake.config.ts",
  ],
  [/to createRuntime\(\{ machines \}\)/g, () => "to 'machines' of rewake.config.ts"],
  [/createRuntime\(\{ log, machines \}\)/g, () => ['run']],
  [/, give createRuntime\(\{ lease: \{ wait \} \}\) time for it to stop,/g, () => ''],
];

/** A message of the library for who sits at a command line. */
export function inCommands(message: string): string {
  return translations.reduce(
    (text, [call, translated]) =>
      text.replaceAll(call, (_, ...parts: string[]) => {
        const words = translated(parts);
        if (typeof words === 'string') return words;
        const line = commandLine(words, undefined);
        return line.includes("'") ? `\`${line}\`` : `'${line}'`;
      }),
    message,
  );
}

/** The first command in an advice, whole enough to be run. */
export function commandIn(advice: string): readonly string[] | undefined {
  const found = translations.flatMap(([call, translated]) =>
    [...advice.matchAll(call)].map((match) => ({ at: match.index, words: translated(match.slice(1)) })),
  );
  const commands = found.toSorted((one, other) => one.at - other.at).map(({ words }) => words);
  return commands.find((words) => typeof words !== 'string');
}

/** Of `, by: 'their name', choice: 'pay'`. */
function jsonOf(properties: string): string {
  const pairs = [...properties.matchAll(/, (\w+): '([^']*)'/g)].map(([, name, value]) => [name!, value!] as const);
  return JSON.stringify(Object.fromEntries(pairs));
}
