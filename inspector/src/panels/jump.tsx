/** A link to a frame: a permalink that can be copied or opened in a new tab, and that changes only the frame when it is pressed. */
import type { ComponentChildren } from 'preact';
import { formatRoute, streamRoute } from '../shell/route.ts';
import type { PanelProps } from '../panel-props.ts';

export interface JumpProps {
  readonly stream: string;
  readonly revision: number;
  readonly goTo: PanelProps['goTo'];
  readonly class?: string;
  readonly title?: string | undefined;
  readonly isCurrent?: boolean;
  readonly children: ComponentChildren;
}

export function Jump({ stream, revision, goTo, title, isCurrent, children, ...rest }: JumpProps) {
  return (
    <a
      class={`jump ${rest.class ?? ''}`}
      href={formatRoute(streamRoute(stream, { revision }))}
      title={title}
      aria-current={isCurrent ? 'true' : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        goTo(stream, revision);
      }}
    >
      {children}
    </a>
  );
}
