/** Tells the `rewake` command which machines there are, and on which log. */
import { realClock } from 'rewake';
import { defineConfig } from 'rewake/config';
import { machinesBy } from './machines.ts';

export default defineConfig({ log: 'receipts.db', machines: machinesBy(realClock) });
