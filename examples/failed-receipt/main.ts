/**
 * Writes a log to look into.
 *
 *   node main.js [receipts.db]
 */
import { existsSync } from 'node:fs';
import { writeLog } from './write-log.ts';

const path = process.argv[2] ?? 'receipts.db';
if (existsSync(path)) {
  process.stderr.write(`'${path}' is there already: give the name of a new file.\n`);
  process.exitCode = 1;
} else {
  await writeLog(path);
  process.stdout.write(`${path}: two days of receipts, orders and payouts. One receipt has failed.\n`);
}
