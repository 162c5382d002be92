/** The newest entries of a map. Owns how many are kept. */

/** So many events, effects and timers that are over are remembered at least: memory does not grow with the log. */
const entriesMin = 32_768;

/** A map that forgets its oldest entries, half of them at a time: a JavaScript map is slow where it loses its first one again and again. */
export class Recent<Value> {
  #newer = new Map<string, Value>();
  #older = new Map<string, Value>();

  get(key: string): Value | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  set(key: string, value: Value): void {
    if (this.#newer.size >= entriesMin) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, value);
  }
}
