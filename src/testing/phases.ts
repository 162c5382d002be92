/** Where a process dies. Owns the names; which faults bring it there is the business of whoever tries them. */

/**
 * Where a process dies: before an append; when it is durable, before its effects are begun; when an effect is done, before its
 * outcome is recorded; while a snapshot is stored; in its recovery. Or nobody dies, and the answer to an append is lost.
 */
export type Phase = 'beforeAppend' | 'afterAppend' | 'beforeResult' | 'ackLost' | 'snapshot' | 'recovery';

/** All phases, in the order in which they are tried. */
export const phases: readonly Phase[] = [
  ...(['beforeAppend', 'afterAppend', 'beforeResult', 'ackLost', 'snapshot', 'recovery'] as const),
];
