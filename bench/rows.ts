/**
 * The rows of the result table, in their order, and the parts that their child processes play.
 */
import type { Part } from './child.ts';
import { crowdHeir, crowdHost, crowdPlain } from './parts/crowd.ts';
import { marathonHeir, marathonHost, marathonPlain } from './parts/marathon.ts';
import { sleepersHeir, sleepersMaker } from './parts/sleepers.ts';
import type { Row } from './row.ts';
import { flowFacts } from './rows/flow.ts';
import { fold } from './rows/fold.ts';
import { heap } from './rows/heap.ts';
import { inspectRows } from './rows/inspect.ts';
import { marathon } from './rows/marathon.ts';
import { postgresAppends } from './rows/postgres.ts';
import { replay } from './rows/replay.ts';
import { sleepers } from './rows/sleepers.ts';
import { stepCall, stepFailures, w1Steps } from './rows/step.ts';
import { stimulus } from './rows/stimulus.ts';
import { w1Memory, w1Sqlite } from './rows/w1.ts';
import { w2 } from './rows/w2.ts';
import { w3Long, w3Short } from './rows/w3.ts';
import { w4 } from './rows/w4.ts';

export const allRows: readonly Row[] = [
  stimulus,
  fold,
  w1Memory,
  w1Sqlite,
  w2,
  w3Short,
  w3Long,
  w4,
  marathon,
  heap,
  sleepers,
  stepCall,
  w1Steps,
  stepFailures,
  flowFacts,
  postgresAppends,
  replay,
  ...inspectRows,
];

export const allParts: Readonly<Record<string, Part>> = {
  crowdHost,
  crowdHeir,
  crowdPlain,
  marathonHost,
  marathonHeir,
  marathonPlain,
  sleepersMaker,
  sleepersHeir,
};
