/** What folding a stream needs, for tests that fold without a runtime: no upcasters, no snapshots, every feature known. */
import type { EventLog } from '../../src/log/event-log.ts';
import { noUpcasters } from '../../src/log/upcast.ts';
import { FeatureSet } from '../../src/runtime/features.ts';
import type { LoadServices } from '../../src/runtime/load.ts';
import { MachineRegistry, type Machines } from '../../src/runtime/machines.ts';
import { quietLogger } from './hosted-and-plain.ts';

export function loadServices(log: EventLog, machines: Machines): LoadServices {
  return {
    log,
    machines: new MachineRegistry(machines),
    upcasters: noUpcasters,
    features: new FeatureSet(),
    logger: quietLogger(),
    snapshotEvery: undefined,
  };
}
