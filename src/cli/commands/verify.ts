/** `rewake verify`: whether a log is sound. */
import type { Finding, Severity } from '../../log/findings.ts';
import { verifyLog, type VerifyProgress } from '../../log/verify.ts';
import { violationsIn } from '../../testing/audit/audit.ts';
import { auditedInvariants } from '../../testing/audit/audited-invariants.ts';
import { describeViolation } from '../../testing/audit/violation.ts';
import { inCommands } from '../advice.ts';
import type { CommandSpec, Options } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { readingOptions, requireStream } from '../looking.ts';
import { withTurns } from '../projected.ts';
import { counted, shown } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

export const verify: CommandSpec = {
  name: 'verify',
  group: 'check',
  about: 'Look for damage, and for what breaks an invariant',
  detail:
    'Reads all of the log and changes nothing; it may be in use. The exit code is 4 where something is found that is not harmless.',
  arguments: [{ name: 'stream', about: 'only this one; all of them when omitted', optional: true }],
  options: [
    { flags: '--no-audit', about: 'look for damage alone' },
    { flags: '--fold', about: 'fold every stream by the machines of the config, too' },
  ],
  examples: [
    ['verify app.db', 'the whole log'],
    ['verify app.db --json > findings.jsonl', 'for a report'],
    ['verify app.db --no-audit && cp app.db backup.db', 'before a copy is made'],
  ],
  async run(context, args, options) {
    const { terminal } = context;
    const log = await context.log('read');
    if (options['fold']) await requireMachines(context, options);
    const stream = args['stream'] as string | undefined;
    if (stream !== undefined) await requireStream(log, stream);
    const looked = await lookForDamage(context, stream);
    const violations = options['audit'] === false ? 0 : await auditLog(context, stream, looked.damaged, options);
    terminal.record('verified', { streams: looked.streams, events: looked.events, findings: looked.found, violations });
    const all = looked.found + violations;
    const { color } = terminal;
    const amount = `${counted(looked.streams, 'stream')}, ${counted(looked.events, 'event')}`;
    terminal.line(
      all === 0
        ? `${color.green('✓')} ${amount}: nothing is wrong.`
        : `${color.red('✗')} ${amount}: ${all} thing${all === 1 ? ' is' : 's are'} wrong.`,
    );
    return looked.isSound && violations === 0 ? exitCodes.ok : exitCodes.found;
  },
};

/** Nothing would be folded in silence. @throws UsageError */
async function requireMachines(context: CommandContext, options: Options): Promise<void> {
  if (options['audit'] === false)
    throw new UsageError('verify: --fold is a part of the audit that --no-audit leaves out.');
  const { machines } = await context.config();
  if (machines) return;
  const file = await context.configFile();
  throw new UsageError(
    file === undefined
      ? 'verify: --fold needs the machines, and there is no rewake.config.ts here or above. Write one that exports them, or name one with --config.'
      : `verify: --fold needs the machines, and '${file}' has no 'machines'. Add those of the log.`,
  );
}

interface Looked extends VerifyProgress {
  readonly found: number;
  readonly isSound: boolean;
  /** Streams. */
  readonly damaged: ReadonlySet<string>;
}

async function lookForDamage(context: CommandContext, stream: string | undefined): Promise<Looked> {
  const { terminal, signal } = context;
  const findings = verifyLog(await context.log('read'), {
    ...{ signal, ...(stream !== undefined && { stream }) },
    onProgress: ({ streams, events, stream: at }) =>
      terminal.progress(`looking for damage: ${streams} streams, ${events} events, ${shown(at)}`),
  });
  const damaged = new Set<string>();
  let [found, isSound] = [0, true];
  for (let next = await findings.next(); ; next = await findings.next()) {
    if (next.done) return { ...next.value, found, isSound, damaged };
    found++;
    const { severity, stream: of } = next.value;
    isSound &&= severity === 'harmless';
    if (severity === 'damage' && of !== undefined) damaged.add(of);
    tell(context, next.value);
  }
}

function tell({ terminal }: CommandContext, finding: Finding): void {
  terminal.record('finding', finding);
  const { red, yellow, dim } = terminal.color;
  const paint: Readonly<Record<Severity, (text: string) => string>> = {
    damage: red,
    suspect: yellow,
    mendable: yellow,
    harmless: dim,
  };
  terminal.line(`${paint[finding.severity](finding.severity.padEnd(9))} ${shown(finding.message)}`);
  terminal.line(`${''.padEnd(9)} ${dim(shown(inCommands(finding.next)))}`);
}

/** Damage is told already; what follows from it in its stream is not told again. */
const auditedNumbers = auditedInvariants.map(({ number }) => number).filter((number) => number !== 30);

async function auditLog(
  context: CommandContext,
  stream: string | undefined,
  damaged: ReadonlySet<string>,
  options: Options,
): Promise<number> {
  const { terminal, signal } = context;
  const { machines, upcasters } = await readingOptions(context);
  terminal.progress('auditing');
  let count = 0;
  const violations = violationsIn(withTurns(await context.log('read'), context), {
    ...(stream !== undefined && { stream }),
    ...(upcasters && { upcasters }),
    ...(options['fold'] && machines && { machines }),
    invariants: auditedNumbers,
  });
  for await (const violation of violations) {
    signal.throwIfAborted();
    if (violation.stream !== undefined && damaged.has(violation.stream)) continue;
    count++;
    terminal.record('violation', violation);
    terminal.line(`${terminal.color.red('violation')} ${shown(describeViolation(violation))}`);
  }
  return count;
}
