/**
 * The store of projections in memory, and the reference for every other one. Owns its map only.
 */
import { LeaseLostError, type ProjectionSlot, type ProjectionStore, type StoredProjection } from 'rewake';

/** Keeps states as long as the process lives: for tests, and where folding the log anew at each start costs little. */
export function memoryProjections(): ProjectionStore {
  return new MemoryProjections();
}

type Slots = Readonly<Partial<Record<ProjectionSlot, StoredProjection>>>;

class MemoryProjections implements ProjectionStore {
  readonly #versions = new Map<string, Map<number, Slots>>();

  async load(name: string, version: number, slot: ProjectionSlot): Promise<StoredProjection | undefined> {
    return this.#versions.get(name)?.get(version)?.[slot];
  }

  async save(name: string, version: number, slot: ProjectionSlot, stored: StoredProjection): Promise<void> {
    const versions = this.#versions.get(name) ?? new Map<number, Slots>();
    const slots = versions.get(version) ?? {};
    const newest = Math.max(slots.kept?.epoch ?? 0, slots.building?.epoch ?? 0);
    if (stored.epoch < newest) {
      throw new LeaseLostError(`${name} ${version}`, stored.epoch, `a writer with epoch ${newest} has saved since`);
    }
    this.#versions.set(
      name,
      versions.set(version, slot === 'kept' ? { kept: stored } : { ...slots, building: stored }),
    );
  }

  async served(name: string): Promise<{ readonly version: number; readonly stored: StoredProjection } | undefined> {
    const kept = [...(this.#versions.get(name) ?? [])].filter(([, slots]) => slots.kept);
    const [version, slots] = kept.sort(([a], [b]) => b - a)[0] ?? [];
    return version === undefined ? undefined : { version, stored: slots!.kept! };
  }

  async remove(name: string, version: number): Promise<void> {
    this.#versions.get(name)?.delete(version);
  }
}
