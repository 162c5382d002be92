/** `rewake doctor`: whether everything is as it should be. */
import { resolve } from 'node:path';
import type { EventLog } from '../../log/event-log.ts';
import {
  checkActors,
  checkBlocked,
  checkFolder,
  checkHost,
  checkMachines,
  checkNode,
  checkSchema,
  checkSpace,
  checkSqlite,
  checkWal,
  type Check,
} from '../checkup.ts';
import type { CommandSpec } from '../command.ts';
import type { RewakeConfig } from '../config.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-code.ts';
import { isExport, openLog } from '../open-log.ts';
import { shown } from '../terminal.ts';

export const doctor: CommandSpec = {
  name: 'doctor',
  group: 'check',
  about: 'Look whether Node, the config, the log and its host are as they should be',
  detail: 'Nothing is changed. The exit code is 1 where a check fails; a warning is no failure.',
  withoutLog: true,
  arguments: [{ name: 'log', about: 'that of the config when omitted', optional: true }],
  options: [],
  examples: [
    ['doctor', 'with the log of the config'],
    ['doctor app.db --json', 'for a supervisor'],
  ],
  async run(context, args) {
    const { terminal } = context;
    let failed = false;
    const say = async (name: string, check: () => Omit<Check, 'name'> | Promise<Omit<Check, 'name'>>) => {
      const verdict = await settled(check);
      failed ||= verdict.status === 'fail';
      tell(context, { name, ...verdict });
      return verdict.status !== 'fail';
    };
    await say('node', () => checkNode(process.versions.node));
    await say('sqlite', () => checkSqlite(process.versions.node));
    let config: RewakeConfig = {};
    const loaded = await say('config', async () => {
      config = await context.config();
      const file = await context.configFile();
      return { status: 'ok', found: file === undefined ? 'no rewake.config.ts here or above' : file };
    });
    if (loaded && (await context.configFile()) !== undefined) await say('machines', () => checkMachines(config));
    const place = (args['log'] as string | undefined) ?? config.log;
    if (place === undefined) {
      terminal.note("No log was looked at: name one, as in 'rewake doctor app.db'.");
      return failed ? exitCodes.failure : exitCodes.ok;
    }
    let log: EventLog | undefined;
    await say('log', async () => {
      log = await openLog(place, 'read', context.io);
      return { status: 'ok', found: `${log.name} can be read` };
    });
    if (log) {
      try {
        const file = resolve(context.io.cwd, place);
        await checkLog(log, (await isExport(file)) ? undefined : file, config, say);
      } finally {
        await log.close();
      }
    }
    return failed ? exitCodes.failure : exitCodes.ok;
  },
};

type Say = (name: string, check: () => Omit<Check, 'name'> | Promise<Omit<Check, 'name'>>) => Promise<boolean>;

/** @param file of the database; undefined where it is an export */
async function checkLog(log: EventLog, file: string | undefined, config: RewakeConfig, say: Say): Promise<void> {
  if (file !== undefined) {
    await say('schema', () => checkSchema(file, process.versions.node));
    await say('host', () => checkHost(log));
    await say('folder', () => checkFolder(file));
    await say('disk', () => checkSpace(file));
    await say('wal', () => checkWal(file));
  }
  await say('actors', () => checkActors(log));
  if (config.machines) await say('blocked', () => checkBlocked(log, config));
}

/** What throws has failed. */
async function settled(check: () => Omit<Check, 'name'> | Promise<Omit<Check, 'name'>>): Promise<Omit<Check, 'name'>> {
  try {
    return await check();
  } catch (error) {
    return { status: 'fail', found: error instanceof Error ? error.message : String(error) };
  }
}

function tell({ terminal }: CommandContext, check: Check): void {
  terminal.record('check', check);
  const { green, yellow, red, bold } = terminal.color;
  const sign = { ok: green('✓'), warn: yellow('!'), fail: red('✗') }[check.status];
  terminal.line(`${sign} ${bold(check.name.padEnd(8))} ${shown(check.found)}`);
  if (check.next !== undefined) terminal.line(`           → ${shown(check.next)}`);
}
