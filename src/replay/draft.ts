/**
 * A map that is another one with changes. Owns that nothing is copied until something changes.
 */

export class Draft<Key, Value> {
  #whole: ReadonlyMap<Key, Value>;
  #own: Map<Key, Value> | undefined;

  constructor(whole: ReadonlyMap<Key, Value>) {
    this.#whole = whole;
  }

  /** The map with its changes. Nothing is changed after that. */
  get done(): ReadonlyMap<Key, Value> {
    return this.#whole;
  }

  get(key: Key): Value | undefined {
    return this.#whole.get(key);
  }

  has(key: Key): boolean {
    return this.#whole.has(key);
  }

  /** As they are now, whatever is changed while they are looked at. */
  keys(): readonly Key[] {
    return [...this.#whole.keys()];
  }

  entries(): readonly (readonly [Key, Value])[] {
    return [...this.#whole];
  }

  set(key: Key, value: Value): void {
    this.#mine.set(key, value);
  }

  delete(key: Key): void {
    if (this.#whole.has(key)) this.#mine.delete(key);
  }

  clear(): void {
    if (this.#whole.size > 0) this.replace([]);
  }

  replace(entries: Iterable<readonly [Key, Value]>): void {
    this.#whole = this.#own = new Map(entries);
  }

  get #mine(): Map<Key, Value> {
    if (!this.#own) this.#whole = this.#own = new Map(this.#whole);
    return this.#own;
  }
}
