/** `rewake copy`: a log moves to another store. */
import { InvariantError } from '../../errors.ts';
import { exportItems, exportLines } from '../../replay/export-format.ts';
import { requireNoHost } from '../change.ts';
import type { CommandSpec } from '../command.ts';
import { exitCodes } from '../exit-code.ts';
import { planned, taken } from '../take-in.ts';
import { counted } from '../terminal.ts';

export const copy: CommandSpec = {
  name: 'copy',
  group: 'change',
  about: 'Copy a log to another one, such as from a SQLite file to PostgreSQL',
  detail:
    'Streams keep their ids, revisions, metadata and actors; positions and snapshots are made anew. No host may run on either log. ' +
    'What is there already is left as it is, so a copy that was stopped can be repeated. In the end every event is compared.',
  arguments: [{ name: 'into', about: 'the log it goes to, new or not' }],
  options: [],
  examples: [
    ['copy app.db postgres://rewake@localhost/app --dry-run', 'what would be copied'],
    ['copy app.db postgres://rewake@localhost/app --yes', 'all of it'],
  ],
  writes: true,
  async run(context, args, options) {
    const { terminal, io, signal } = context;
    const log = await context.log('read');
    await requireNoHost(log);
    const place = args['into'] as string;
    const items = () => exportItems(exportLines(log, { signal }), log.name);
    const plan = await planned(items, place, io);
    const missing = plan.events - plan.present;
    const about = { from: log.name, into: place, streams: plan.streams, events: plan.events, present: plan.present };
    if (options['dryRun']) {
      terminal.record('copy', { ...about, dryRun: true });
      return terminal.line(
        `Would copy ${counted(missing, 'event')} of ${counted(plan.missing, 'stream')} to ${place}; there already: ${plan.present}.`,
      );
    }
    if (missing === 0) {
      terminal.record('copy', { ...about, written: 0 });
      return terminal.note(
        `All ${plan.events} events are in ${place} already, each with its checksum. Nothing was written.`,
      );
    }
    if (
      !(await terminal.confirm(`Copy ${counted(missing, 'event')} of ${counted(plan.missing, 'stream')} to ${place}?`))
    ) {
      terminal.note('Nothing was written.');
      return exitCodes.failure;
    }
    const written = await taken(items, place, plan, context);
    const { events, present } = await planned(items, place, io);
    if (present !== events) {
      throw new InvariantError(
        `Of ${events} events ${present} are in ${place} after they were copied. Say 'rewake verify ${place}', and copy again.`,
      );
    }
    terminal.record('copy', { ...about, written });
    terminal.line(
      `Copied ${counted(written, 'event')} of ${counted(plan.missing, 'stream')} to ${place}. All ${events} are there, each with its checksum.`,
    );
  },
};
