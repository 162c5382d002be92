/** `rewake repair`: damaged records are moved aside. */
import type { Finding } from '../../log/findings.ts';
import { repairLog, type RepairReport, type StreamRepair } from '../../runtime/repair.ts';
import { requireNoHost } from '../change.ts';
import type { CommandSpec } from '../command.ts';
import type { Terminal } from '../terminal.ts';
import { shown } from '../terminal.ts';
import { exitCodes } from '../exit-code.ts';
import { requireStream } from '../looking.ts';
import { textOption } from '../options.ts';
import { timeText } from '../words.ts';

/** How many lost events of a stream people are told of one by one. */
const lostShownMax = 20;

export const repair: CommandSpec = {
  name: 'repair',
  group: 'check',
  about: 'Move damaged records aside, so that their actors go on from what is intact',
  detail:
    'From the append with the first damage on a stream is moved to the quarantine of the log; nothing is deleted. Make a copy of ' +
    'the file first. The exit code is 4 where something is lost or could not be repaired.',
  arguments: [{ name: 'stream', about: 'only this one; all of them when omitted', optional: true }],
  options: [{ flags: '--reason <text>', about: 'kept with what is moved aside' }],
  examples: [
    ['repair app.db --dry-run', 'what would be lost'],
    ['repair app.db order-42 --reason "disk failure of 3 May"', 'one stream alone'],
  ],
  writes: true,
  async run(context, args, options) {
    const { terminal } = context;
    const stream = args['stream'] as string | undefined;
    const readable = await context.log('read');
    await requireNoHost(readable);
    if (stream !== undefined) await requireStream(readable, stream);
    const quarantine = textOption(options, 'reason') ?? true;
    const scope = stream === undefined ? {} : { stream };
    const plan = await repairLog(readable, { quarantine, dryRun: true, ...scope });
    if (options['dryRun'] || plan.streams.length === 0) return tell(terminal, plan);
    if (!options['yes']) {
      for (const each of plan.streams) terminal.note(summary(each, true));
      const lost = plan.streams.reduce((sum, each) => sum + each.lost.length, 0);
      if (!(await terminal.confirm(`Move ${lost} events of ${plan.streams.length} streams aside?`))) {
        terminal.note('Nothing was changed.');
        return exitCodes.failure;
      }
    }
    return tell(terminal, await repairLog(await context.log('write'), { quarantine, ...scope }));
  },
};

function tell(terminal: Terminal, { dryRun, streams, left, failed }: RepairReport): number {
  for (const each of streams) {
    terminal.record('repair', { dryRun, ...each });
    terminal.line(summary(each, dryRun));
    for (const { message } of each.findings) terminal.line(`  ${shown(message)}`);
    for (const { revision, type, at } of each.lost.slice(0, lostShownMax)) {
      const when = at === undefined ? '' : `  ${timeText(at)}`;
      terminal.line(`  loses ${revision}  ${type === undefined ? 'a record that cannot be read' : shown(type)}${when}`);
    }
    if (each.lost.length > lostShownMax) terminal.line(`  … and ${each.lost.length - lostShownMax} more.`);
  }
  for (const finding of left) tellLeft(terminal, finding);
  for (const { stream, error } of failed) {
    const message = error instanceof Error ? error.message : String(error);
    terminal.record('failed', { stream, message });
    terminal.line(`${shown(stream)}: could not be repaired: ${shown(message)}`);
  }
  if (streams.length === 0 && failed.length === 0) terminal.note('There is nothing to repair.');
  const isWhole =
    failed.length === 0 &&
    left.every(({ severity }) => severity !== 'damage') &&
    streams.every(({ lost }) => lost.length === 0);
  return isWhole ? exitCodes.ok : exitCodes.found;
}

function tellLeft(terminal: Terminal, finding: Finding): void {
  terminal.record('left', finding);
  terminal.line(`Left as it is: ${shown(finding.message)}`);
}

function summary({ stream, lastGood, lostTo, lost }: StreamRepair, dryRun: boolean): string {
  const name = shown(stream);
  if (lostTo === lastGood)
    return `${name}: ${dryRun ? 'would be' : 'was'} set right; no event ${dryRun ? 'would be' : 'is'} lost.`;
  const until = lastGood < 0 ? 'nothing is left of it' : `it goes on from revision ${lastGood}`;
  return `${name}: ${lost.length} events ${dryRun ? 'would be' : 'were'} moved aside, revisions ${lastGood + 1} to ${lostTo}; ${until}.`;
}
