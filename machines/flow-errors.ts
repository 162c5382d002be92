/**
 * The errors a flow ends with. Owns what they say and carry; when a flow ends is flow-chart.ts.
 */
import { registerErrorClass, RewakeError } from 'rewake';
import type { FlowProgress } from './flow-state.ts';
import { said } from './recovery-errors.ts';

const advice = '. Nothing recovered it. Mend the cause, and resume the flow: what is finished is not done again';

/** A step of a flow failed, and no handler recovered it. The flow can be resumed. */
export class FlowFailedError extends RewakeError {
  readonly code = 'REWAKE_FLOW_FAILED';
  readonly flow: string;
  readonly step: string;
  /** What went outward from there: the error of the step, or a HandlerFailedError around it. */
  readonly originalError: unknown;
  /** What was finished: who calls the flow again as a step of another one goes on from there. */
  readonly progress: FlowProgress;

  constructor(flow: string, step: string, originalError: unknown, progress: FlowProgress) {
    super(`Flow '${flow}' failed in step '${step}': ${textOf(originalError)}${advice}.`, { cause: originalError });
    this.flow = flow;
    this.step = step;
    this.originalError = originalError;
    this.progress = progress;
  }
}

/** A handler aborted a flow: cleaned up, and undone as far as that was possible. */
export class FlowAbortedError extends RewakeError {
  readonly code = 'REWAKE_FLOW_ABORTED';
  readonly flow: string;
  readonly step: string;
  /** What the handler was there for. */
  readonly originalError: unknown;
  /** Steps whose undo failed, with what it failed with. */
  readonly notUndone: readonly { readonly step: string; readonly error: unknown }[];
  /** What is finished and not undone. */
  readonly progress: FlowProgress;

  constructor(
    flow: string,
    step: string,
    originalError: unknown,
    notUndone: FlowAbortedError['notUndone'],
    progress: FlowProgress,
  ) {
    const rest =
      notUndone.length === 0
        ? 'What could be undone was undone; a flow that is resumed does it anew.'
        : `Not undone: ${notUndone.map((each) => each.step).join(', ')}. Take these back by hand; 'notUndone' says why it failed.`;
    super(`Flow '${flow}' was aborted because of step '${step}': ${textOf(originalError)}. ${rest}`, {
      cause: originalError,
    });
    this.flow = flow;
    this.step = step;
    this.originalError = originalError;
    this.notUndone = notUndone;
    this.progress = progress;
  }
}
registerErrorClass(FlowFailedError, 'REWAKE_FLOW_FAILED');
registerErrorClass(FlowAbortedError, 'REWAKE_FLOW_ABORTED');

/** What the error says, but for the advice of a flow inside: the outermost one gives it. */
function textOf(error: unknown): string {
  const text = said(error);
  return text.endsWith(advice) ? text.slice(0, -advice.length) : text;
}
