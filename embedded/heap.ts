/** Keeps what it gets so that the one that comes last, by the given order, is at hand. */
export class Heap<T> {
  private readonly items: T[] = []

  constructor (readonly compare: (a: T, b: T) => number) {}

  get size (): number {
    return this.items.length
  }

  get last (): T | undefined {
    return this.items[0]
  }

  push (item: T): void {
    let place = this.items.push(item) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      if (this.ordered(above, place)) break
      this.swap(above, place)
      place = above
    }
  }

  /** Takes the last one out; there has to be one. */
  pop (): T {
    this.swap(0, this.items.length - 1)
    const popped = this.items.pop() as T
    let place = 0
    for (let below = this.below(place); below < this.items.length && !this.ordered(place, below); below = this.below(place)) {
      this.swap(place, below)
      place = below
    }
    return popped
  }

  /** Of the two places below one that with the later item. */
  private below (place: number): number {
    const [left, right] = [2 * place + 1, 2 * place + 2]
    return right < this.items.length && !this.ordered(left, right) ? right : left
  }

  /** Whether what is at the first of two places comes after what is at the second, or along with it. */
  private ordered (above: number, below: number): boolean {
    // both places are taken
    return this.compare(this.items[above] as T, this.items[below] as T) >= 0
  }

  private swap (one: number, other: number): void {
    const { items } = this
    const item = items[one] as T
    items[one] = items[other] as T
    items[other] = item
  }
}
