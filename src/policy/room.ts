/** Room that several share; who finds none does without. */
export class Room {
  #left: number

  constructor(units: number) {
    this.#left = units
  }

  /** @returns whether there is as much; then it is taken */
  take(units: number): boolean {
    if (units > this.#left) return false
    this.#left -= units
    return true
  }

  give(units: number): void {
    this.#left += units
  }
}
