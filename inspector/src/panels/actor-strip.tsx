/** The actors of a tree in a row: who they are and where they stand. Choosing one shows it. */
import type { Frame } from '../../../src/inspect/api.ts';
import { withoutSessions } from './effect-lanes.ts';
import { stateWords } from '../stream/state-words.ts';

type FrameActor = Frame['actors'][number];

export interface ActorStripProps {
  readonly actors: readonly FrameActor[];
  readonly chosen: string;
  readonly onChoose: (address: string) => void;
}

export function ActorStrip({ actors, chosen, onChoose }: ActorStripProps) {
  return (
    <div class="actor-strip" role="group" aria-label="Actors in the tree">
      {actors.map((actor) => (
        <button
          key={actor.address}
          type="button"
          class="button actor-chip"
          aria-pressed={actor.address === chosen}
          title={`${actor.address}${actor.src === null ? '' : ` · ${actor.src}`}`}
          onClick={() => onChoose(actor.address)}
        >
          <span class="mono">{actorName(actor)}</span>
          <span class={`actor-state ${actor.status === 'error' ? 'bad' : 'muted'}`}>{standing(actor)}</span>
        </button>
      ))}
    </div>
  );
}

/** An address as short as it can be read: without what its parents are called. */
export function actorName({ address, parent }: Pick<FrameActor, 'address' | 'parent'>): string {
  return parent === null ? '/' : withoutSessions(address.slice(parent === '/' ? 1 : parent.length + 1));
}

/** Where an actor stands, in a few words. */
export function standing({ kind, status, value }: FrameActor): string {
  if (status !== 'active') return status === 'error' ? 'failed' : status;
  return kind === 'machine' ? stateWords(value) : kind === 'effect' ? 'running' : 'active';
}
