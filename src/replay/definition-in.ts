/**
 * Which definition comes into force with an event. Owns where events say it.
 */
import type { EventData } from './entries.ts';

export interface DefinitionInForce {
  readonly definition: string;
  readonly version: string | null;
}

/** Undefined where the one before stays in force. */
export function definitionIn({ data }: { readonly data: EventData }): DefinitionInForce | undefined {
  const { definition, version, changed } = data;
  if (typeof definition === 'string') return { definition, version: textOf(version) };
  if (typeof changed !== 'object' || changed === null) return undefined;
  const to = changed as EventData;
  return typeof to.to === 'string' ? { definition: to.to, version: textOf(to.version) } : undefined;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
