/**
 * The port for the kept states of projections. Owns the types; holds no logic. What is in a state, and when one is saved,
 * is not known here.
 *
 * PS1  State and position are saved together or not at all.
 * PS2  A writer with a lower epoch than the last one changes nothing.
 * PS3  A state that is not as it was saved is as if it were not there: it can be made again.
 * PS4  What is served is the newest version that was ever kept. A version that is being built is not, and the first save
 *      as kept replaces what is served in one step.
 */
import type { Position } from './event-log.ts';

/** The state of a projection up to a position. */
export interface StoredProjection {
  /** Of the lease it was written under. */
  readonly epoch: number;
  /** Up to where the log is in it, inclusive; undefined where nothing is. */
  readonly position: Position | undefined;
  /** JSON text made by the codec. */
  readonly data: string;
}

/** `kept`: it has caught up once, and is served. `building`: it is on its way there, beside the one that is served. */
export type ProjectionSlot = 'kept' | 'building';

/** Where states of projections are kept, for one log. */
export interface ProjectionStore {
  load(name: string, version: number, slot: ProjectionSlot): Promise<StoredProjection | undefined>;
  /**
   * Saves state and position. As `kept` it replaces what was built before under this version.
   * @throws LeaseLostError when a writer with a higher epoch has saved this version
   */
  save(name: string, version: number, slot: ProjectionSlot, stored: StoredProjection): Promise<void>;
  /** What readers get: the newest version that is kept. */
  served(name: string): Promise<{ readonly version: number; readonly stored: StoredProjection } | undefined>;
  /** Removes a version, kept or being built: the one before it is served again. */
  remove(name: string, version: number): Promise<void>;
}
