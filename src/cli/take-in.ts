/**
 * Taking the events of an export into a log. Owns the order: compared while nobody writes, then written under the lease of a host.
 */
import { realClock } from '../clock.ts';
import type { ExportItem } from '../replay/export-format.ts';
import { consoleLogger } from '../runtime/logger.ts';
import { Ownership } from '../runtime/ownership.ts';
import { requireNoHost } from './change.ts';
import type { CommandContext } from './context.ts';
import { importInto, planImport, type ImportPlan } from './import-log.ts';
import { openIfThere, openLog } from './open-log.ts';
import type { Io } from './terminal.ts';

const leaseTtlMs = 10_000;

/** What is to be read, as often as it is: lines of a file that nobody takes at once are lost. */
export type Items = () => AsyncIterable<ExportItem>;

/** What is to be written. @param place of the log it goes to, which need not be there */
export async function planned(items: Items, place: string, io: Io): Promise<ImportPlan> {
  const log = await openIfThere(place, io);
  try {
    if (log) await requireNoHost(log);
    return await planImport(items(), log);
  } finally {
    await log?.close();
  }
}

/** Writes it; no host begins meanwhile. @returns how many events were written */
export async function taken(
  items: Items,
  place: string,
  { lasts }: ImportPlan,
  { io, terminal }: CommandContext,
): Promise<number> {
  const log = await openLog(place, 'create', io);
  let lost: unknown;
  const ownership = new Ownership(
    log,
    realClock,
    consoleLogger,
    { ttlMs: leaseTtlMs, waitMs: 0 },
    (error) => (lost = error),
  );
  try {
    await ownership.acquire();
    return await importInto(log, items(), lasts, (events) => {
      if (lost) throw lost as Error;
      terminal.progress(`${events} events`);
    });
  } finally {
    await ownership.release();
    await log.close();
  }
}
