/**
 * The service as a process of its own, started by main.ts. Owns its life: it listens on a free loopback port, tells the
 * supervisor its address, and ends when the supervisor does.
 */
import type { AddressInfo } from 'node:net';
import { realClock } from 'rewake';
import { outages, seededFaults } from './faults.ts';
import type { ServiceArguments, ServiceReady } from './messages.ts';
import { createService } from './service.ts';

const { seed } = JSON.parse(process.argv[2] ?? '{"seed":1}') as ServiceArguments;

const server = createService({ drawFault: seededFaults(seed), outages, clock: realClock });
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ type: 'listening', url: `http://127.0.0.1:${port}` } satisfies ServiceReady);
});

// Ctrl-C reaches the whole process group; the supervisor decides when the service goes.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));
