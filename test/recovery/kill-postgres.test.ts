/** kill -9 of a host whose log is on a real PostgreSQL server, which goes on. */
import { startPostgres, type PostgresServer } from '../../bench/postgres-server.ts';
import { postgresLog } from '../../src/stores/postgres/index.ts';
import { killVerdicts } from './kill-verdicts.ts';

let server: PostgresServer;

killVerdicts({
  name: 'PostgreSQL',
  kills: 20,
  place: async () => {
    server = await startPostgres();
    return server.url;
  },
  open: (place) => postgresLog(place),
  remove: () => server.destroy(),
});
