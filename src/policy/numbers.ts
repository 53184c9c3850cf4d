/** A list of whole numbers of 32 bits that only grows: four bytes each, whatever the list's length. */
export class Numbers {
  #kept = new Int32Array(16)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** @returns its place */
  push(value: number): number {
    if (this.#length === this.#kept.length) {
      const larger = new Int32Array(this.#kept.length * 2)
      larger.set(this.#kept)
      this.#kept = larger
    }
    this.#kept[this.#length] = value
    this.#length += 1
    return this.#length - 1
  }

  /** @returns -1 where there is none */
  at(place: number): number {
    return place < this.#length ? (this.#kept[place] ?? -1) : -1
  }

  set(place: number, value: number): void {
    this.#kept[place] = value
  }
}
