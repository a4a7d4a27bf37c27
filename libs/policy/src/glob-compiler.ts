/** One step of the automaton that a pattern becomes; those without `targets` go on to the step after them. */
export type GlobStep =
  | { readonly kind: 'char'; readonly char: string }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [low: number, high: number])[] }
  /** One character but "/". */
  | { readonly kind: 'one' }
  /** Any run, of characters but "/" unless `slashes`. */
  | { readonly kind: 'run'; readonly slashes: boolean }
  | { readonly kind: 'fork'; readonly targets: number[] }
  | { readonly kind: 'end' };

/** What a pattern says, and the first thing that is wrong with it; what is wrong is read as ordinary characters. */
export interface CompiledGlob {
  /** Step 0 is the first. Never more than twice the pattern's length plus one. */
  readonly steps: readonly GlobStep[];
  readonly fault: string | undefined;
}

/** Reads a pattern once from left to right: the time is proportional to its length. */
export function compileGlob(pattern: string): CompiledGlob {
  const compiler = new GlobCompiler(pattern);
  return { steps: compiler.steps, fault: compiler.fault };
}

class GlobCompiler {
  readonly steps: GlobStep[] = [];
  fault: string | undefined;
  readonly #characters: readonly string[];
  readonly #closed: ReadonlySet<number>;
  #position = 0;
  #noMoreClasses = false;

  constructor(pattern: string) {
    this.#characters = [...pattern];
    this.#closed = closedBraces(this.#characters);
    this.#sequence(false);
    this.steps.push({ kind: 'end' });
  }

  /** Reads until the pattern, or inside braces the alternative, ends. */
  #sequence(inBraces: boolean): void {
    while (this.#position < this.#characters.length) {
      const character = this.#at(this.#position);
      if (inBraces && (character === ',' || character === '}')) return;
      this.#position += 1;
      this.#step(character);
    }
  }

  #step(character: string): void {
    switch (character) {
      case '?': this.steps.push({ kind: 'one' }); return;
      case '*': this.#star(); return;
      case '[': this.#class(); return;
      case '{': this.#brace(); return;
      case '\\': this.#escaped(); return;
      default: this.#char(character);
    }
  }

  #char(char: string): void {
    this.steps.push({ kind: 'char', char });
  }

  #escaped(): void {
    if (this.#position >= this.#characters.length) this.#refuse('it ends in a backslash');
    this.#char(this.#characters[this.#position++] ?? '\\');
  }

  /** `**` crosses slashes where it stands alone between them, and then with the slash behind it also stands for nothing. */
  #star(): void {
    const start = this.#position - 1;
    while (this.#at(this.#position) === '*') this.#position += 1;
    const next = this.#at(this.#position);
    const alone = this.#position - start === 2 && ['', '/', '{', ','].includes(this.#at(start - 1)) && ['', '/', '}', ','].includes(next);
    if (!alone || next !== '/') {
      this.steps.push({ kind: 'run', slashes: alone });
      return;
    }
    const fork: GlobStep = { kind: 'fork', targets: [this.steps.length + 1] };
    this.steps.push(fork, { kind: 'run', slashes: true }, { kind: 'char', char: '/' });
    this.#position += 1;
    fork.targets.push(this.steps.length);
  }

  #class(): void {
    const end = this.#classEnd();
    if (end < 0) {
      this.#refuse('a [ in it is not closed');
      this.#char('[');
      return;
    }
    const negated = this.#at(this.#position) === '^' || this.#at(this.#position) === '!';
    const members = this.#members(negated ? this.#position + 1 : this.#position, end);
    this.#position = end + 1;
    this.steps.push({ kind: 'class', negated, ranges: members });
  }

  #classEnd(): number {
    if (this.#noMoreClasses) return -1;
    const first = this.#at(this.#position) === '^' || this.#at(this.#position) === '!' ? this.#position + 1 : this.#position;
    for (let index = first; index < this.#characters.length; index += 1) {
      if (this.#at(index) === '\\') index += 1;
      else if (this.#at(index) === ']' && index > first) return index;
    }
    // Every further [ would look to the end in vain, too.
    this.#noMoreClasses = true;
    return -1;
  }

  #members(first: number, end: number): [number, number][] {
    const ranges: [number, number][] = [];
    let position = first;
    const read = (): number => {
      if (this.#at(position) === '\\') position += 1;
      return this.#at(position++).codePointAt(0) ?? 0;
    };
    while (position < end) {
      const low = read();
      if (this.#at(position) !== '-' || position + 1 >= end) {
        ranges.push([low, low]);
        continue;
      }
      position += 1;
      const high = read();
      if (high < low) this.#refuse('a range in its brackets is the wrong way round');
      ranges.push([low, high]);
    }
    return ranges;
  }

  #brace(): void {
    if (!this.#closed.has(this.#position - 1)) {
      this.#refuse('a { in it is not closed');
      this.#char('{');
      return;
    }
    const fork: GlobStep = { kind: 'fork', targets: [] };
    this.steps.push(fork);
    const exits: { readonly kind: 'fork'; readonly targets: number[] }[] = [];
    for (let separator = ','; separator === ',';) {
      fork.targets.push(this.steps.length);
      this.#sequence(true);
      const exit = { kind: 'fork' as const, targets: [] };
      this.steps.push(exit);
      exits.push(exit);
      separator = this.#at(this.#position);
      this.#position += 1;
      if (separator === '') this.#refuse('a { in it is not closed');
    }
    for (const exit of exits) exit.targets.push(this.steps.length);
  }

  #at(position: number): string {
    return this.#characters[position] ?? '';
  }

  #refuse(fault: string): void {
    this.fault ??= fault;
  }
}

/** Where the braces stand that are closed later on, inside them those of an alternative included. */
function closedBraces(characters: readonly string[]): Set<number> {
  const closed = new Set<number>();
  const open: number[] = [];
  for (let index = 0; index < characters.length; index += 1) {
    if (characters[index] === '\\') index += 1;
    else if (characters[index] === '{') open.push(index);
    else if (characters[index] === '}') {
      const opening = open.pop();
      if (opening !== undefined) closed.add(opening);
    }
  }
  return closed;
}
