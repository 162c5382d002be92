/** What caused a frame, looked up in the trace of its correlation: a frame names its cause by id alone. */
import { useEffect, useState } from 'preact/hooks';
import type { CorrelationTrace, Frame } from '../../../src/inspect/api.ts';
import type { Api } from '../panel-props.ts';

export type TraceNode = CorrelationTrace['roots'][number];

export function tracePath(correlationId: string): string {
  return `/traces/${encodeURIComponent(correlationId)}`;
}

/** The event with an id, wherever in a trace it is. In a loop: chains of causes are longer than a stack. */
export function findInTrace({ roots }: CorrelationTrace, id: string): TraceNode | undefined {
  const stack = [...roots];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.id === id) return node;
    for (const caused of node.caused) stack.push(caused);
  }
  return undefined;
}

/** Undefined while it is not known, or not on the log. */
export function useCause(api: Api, frame: Frame): TraceNode | undefined {
  const [trace, setTrace] = useState<CorrelationTrace | undefined>();
  const { correlationId, causationId, id } = frame;
  const current = trace?.correlationId === correlationId ? trace : undefined;
  const known = current && findInTrace(current, causationId);
  // A trace that has the frame, and not its cause, will not have it later either.
  const isWanted = causationId !== id && !known && !(current && findInTrace(current, id));
  useEffect(() => {
    if (!isWanted) return;
    let isOn = true;
    api.get<CorrelationTrace>(tracePath(correlationId)).then(
      (answer) => isOn && setTrace(answer),
      () => undefined, // The id stays as it is: the panel `trace` says what is wrong.
    );
    return () => {
      isOn = false;
    };
  }, [api, correlationId, isWanted, isWanted ? id : '']);
  return known;
}
