/**
 * The contract every event log passes: a numbered list of cases for any test runner. Owns the list, the plan and the
 * running of one case; the cases live in contract-append.ts, contract-read.ts, contract-lifecycle.ts and
 * contract-index.ts, the shapes in contract-case.ts.
 *
 * K1  Every case is either applicable or reported with the features it misses; none passes without running.
 * K2  Numbers 1-30 are the rules every store must answer for; from 31 on come the actor index, snapshots, leases and
 *     what adapters got wrong before.
 */
import { InvalidArgumentError } from '../errors.ts';
import { appendCases } from './contract-append.ts';
import { sceneOn, type ContractCase, type ContractFeature, type ContractTarget } from './contract-case.ts';
import { indexCases } from './contract-index.ts';
import { lifecycleCases } from './contract-lifecycle.ts';
import { quarantineCases } from './contract-quarantine.ts';
import { readCases } from './contract-read.ts';

export type { ContractCase, ContractFeature, ContractTarget } from './contract-case.ts';

/** All cases in order of their numbers. */
const logContract: readonly ContractCase[] = [
  ...appendCases,
  ...readCases,
  ...lifecycleCases,
  ...indexCases,
  ...quarantineCases,
].sort((a, b) => a.number - b.number);

/** What of the contract applies to an adapter, and what does not and why. */
export interface ContractPlan {
  readonly applicable: readonly ContractCase[];
  readonly notApplicable: readonly {
    readonly contractCase: ContractCase;
    readonly missing: readonly ContractFeature[];
  }[];
}

/**
 * Divides the contract by what an adapter can do. Assert the numbers of `notApplicable` in the adapter's tests, so that
 * a case cannot drop out unnoticed; case 45 compares the features with what the log itself declares.
 */
export function planContract(features: readonly ContractFeature[]): ContractPlan {
  const missing = (each: ContractCase) => each.requires.filter((feature) => !features.includes(feature));
  return {
    applicable: logContract.filter((each) => missing(each).length === 0),
    notApplicable: logContract
      .filter((each) => missing(each).length > 0)
      .map((each) => ({ contractCase: each, missing: missing(each) })),
  };
}

/**
 * Runs one case on a fresh store and removes the store afterwards.
 *
 * @example
 * for (const each of planContract(target.features).applicable) {
 *   it(`${each.number} ${each.title}`, () => runContractCase(each, target));
 * }
 *
 * @throws AssertionError the rule does not hold
 * @throws InvalidArgumentError the case needs a feature the target does not have
 */
export async function runContractCase(contractCase: ContractCase, target: ContractTarget): Promise<void> {
  const missing = contractCase.requires.filter((feature) => !target.features.includes(feature));
  if (missing.length > 0) {
    throw new InvalidArgumentError(
      `Contract case ${contractCase.number} needs ${missing.join(', ')}, which this target does not have. ` +
        'Run only what planContract calls applicable.',
    );
  }
  const fixture = await target.create();
  try {
    const log = await fixture.open();
    try {
      await contractCase.run(sceneOn(log, fixture, target.features));
    } finally {
      await log.close();
    }
  } finally {
    await fixture.destroy();
  }
}
