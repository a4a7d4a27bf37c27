/**
 * Whether `text` matches a doublestar pattern as Harbor's policies use them: `*` is any run of characters but "/", `**`
 * any run at all, `?` one character but "/", `{a,b}` alternatives, which may be nested; "\" takes the next character as it is.
 *
 * The time is proportional to the pattern's length times the text's, whatever they are: the pattern is the user's.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  return run(compile(pattern), text);
}

type Step =
  | { readonly kind: 'char'; readonly char: string; next: number }
  | { readonly kind: 'one'; next: number }
  | { readonly kind: 'any'; readonly slashes: boolean; next: number }
  | { readonly kind: 'fork'; readonly targets: number[] }
  | { readonly kind: 'end' };

/** A pattern as the steps of a non-deterministic automaton; step 0 is the first. */
function compile(pattern: string): readonly Step[] {
  return new GlobCompiler(pattern).steps;
}

class GlobCompiler {
  readonly steps: Step[] = [];
  readonly #characters: readonly string[];
  #position = 0;

  constructor(pattern: string) {
    this.#characters = [...pattern];
    this.#sequence(false);
    this.steps.push({ kind: 'end' });
  }

  /** Reads until the pattern, or inside braces the alternative, ends. Steps follow each other in order. */
  #sequence(inBraces: boolean): void {
    while (this.#position < this.#characters.length) {
      const character = this.#characters[this.#position] ?? '';
      if (inBraces && (character === ',' || character === '}')) return;
      this.#position += 1;
      this.#step(character);
    }
  }

  #step(character: string): void {
    const next = this.steps.length + 1;
    switch (character) {
      case '?': this.steps.push({ kind: 'one', next }); return;
      case '*': this.#star(next); return;
      case '{': if (this.#closes()) { this.#alternatives(); return; } break;
      case '\\': this.steps.push({ kind: 'char', char: this.#characters[this.#position++] ?? '\\', next }); return;
    }
    this.steps.push({ kind: 'char', char: character, next });
  }

  #star(next: number): void {
    const slashes = this.#characters[this.#position] === '*';
    if (slashes) this.#position += 1;
    this.steps.push({ kind: 'any', slashes, next });
  }

  /** Whether the brace just read is closed later on; one that is not is an ordinary character. */
  #closes(): boolean {
    let depth = 1;
    for (let index = this.#position; index < this.#characters.length; index += 1) {
      if (this.#characters[index] === '\\') index += 1;
      else if (this.#characters[index] === '{') depth += 1;
      else if (this.#characters[index] === '}' && --depth === 0) return true;
    }
    return false;
  }

  #alternatives(): void {
    const fork: Step = { kind: 'fork', targets: [] };
    this.steps.push(fork);
    const exits: { kind: 'fork'; targets: number[] }[] = [];
    for (;;) {
      fork.targets.push(this.steps.length);
      this.#sequence(true);
      const exit = { kind: 'fork' as const, targets: [] as number[] };
      this.steps.push(exit);
      exits.push(exit);
      const separator = this.#characters[this.#position];
      this.#position += 1;
      if (separator !== ',') break;
    }
    for (const exit of exits) exit.targets.push(this.steps.length);
  }
}

function run(steps: readonly Step[], text: string): boolean {
  let current = new Set<number>();
  enter(steps, 0, current);
  for (const character of text) {
    const following = new Set<number>();
    for (const index of current) {
      const step = steps[index];
      if (step === undefined || step.kind === 'end' || step.kind === 'fork') continue;
      if (step.kind === 'any' && (step.slashes || character !== '/')) enter(steps, index, following);
      else if (step.kind === 'one' && character !== '/') enter(steps, step.next, following);
      else if (step.kind === 'char' && step.char === character) enter(steps, step.next, following);
    }
    if (following.size === 0) return false;
    current = following;
  }
  return [...current].some((index) => steps[index]?.kind === 'end');
}

/** Adds a step and every step that it reaches without reading a character. */
function enter(steps: readonly Step[], first: number, reached: Set<number>): void {
  const waiting = [first];
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (reached.has(index)) continue;
    reached.add(index);
    const step = steps[index];
    if (step?.kind === 'any') waiting.push(step.next);
    if (step?.kind === 'fork') waiting.push(...step.targets);
  }
}
