/** What was typed into `what-if`, by stream: it outlives that another panel is looked at. */
import { signal, type Signal } from '@preact/signals';
import type { WhatIf } from '../../../src/inspect/api.ts';
import type { Draft, StubDraft } from './what-if-drafts.ts';

export interface WhatIfSession {
  readonly drafts: readonly Draft[];
  readonly stubs: { readonly [src: string]: StubDraft };
  readonly answer: WhatIf | undefined;
}

const sessions = new Map<string, Signal<WhatIfSession>>();

export function sessionOf(stream: string): Signal<WhatIfSession> {
  const known = sessions.get(stream);
  if (known) return known;
  const session = signal<WhatIfSession>({ drafts: [], stubs: {}, answer: undefined });
  sessions.set(stream, session);
  return session;
}
