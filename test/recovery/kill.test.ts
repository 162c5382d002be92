/** kill -9 on a SQLite file. More kills: REWAKE_KILLS=1000 npx vitest run test/recovery/kill.test.ts. */
import { join } from 'node:path';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { killVerdicts } from './kill-verdicts.ts';

killVerdicts({
  name: 'a SQLite file',
  kills: 50,
  place: async (folder) => join(folder, 'log.db'),
  open: (place) => sqliteLog(place),
});
