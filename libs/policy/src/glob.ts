import { compileGlob, type GlobStep } from './glob-compiler.js';

/** The longest pattern that is accepted, in characters. */
const MAX_LENGTH = 1024;
/** How many stars a pattern may have: each costs a step for every character of every text. */
const MAX_STARS = 64;

/** Compares texts with one pattern; see matchesGlob. */
export type GlobMatcher = (text: string) => boolean;

/**
 * Whether `text` matches a doublestar pattern as Harbor's policies use them: `*` is any run of characters but "/", `?` one
 * character but "/", `[a-z]` and `[^a-z]` one of (or none of) these, `{a,b}` alternatives, which may be nested; `**`
 * standing alone between slashes is any run at all, and with its slash also none; "\" takes the next character as it is.
 *
 * The time is proportional to the pattern's length times the text's, whatever they are: the pattern is the user's.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  return globMatcher(pattern)(text);
}

/** As matchesGlob, for many texts: the pattern is read once. */
export function globMatcher(pattern: string): GlobMatcher {
  const { steps } = compileGlob(pattern);
  const [first, second] = [new StepSet(steps), new StepSet(steps)];
  return (text) => run(steps, text, first, second);
}

/** What is wrong with a pattern that somebody sends, as the end of a sentence; undefined when it is fine. */
export function globFault(pattern: string): string | undefined {
  if (pattern === '') return 'it is empty';
  if (pattern.length > MAX_LENGTH) return `it is longer than ${MAX_LENGTH} characters`;
  if (pattern.split('*').length - 1 > MAX_STARS) return `it has more than ${MAX_STARS} stars`;
  return compileGlob(pattern).fault;
}

function run(steps: readonly GlobStep[], text: string, first: StepSet, second: StepSet): boolean {
  let [current, following] = [first, second];
  current.clear();
  current.enter(0);
  for (const character of text) {
    following.clear();
    for (const index of current.indices) {
      const step = steps[index];
      if (step?.kind === 'run') {
        if (step.slashes || character !== '/') following.enter(index);
      } else if (step !== undefined && accepts(step, character)) following.enter(index + 1);
    }
    if (following.indices.length === 0) return false;
    [current, following] = [following, current];
  }
  return current.indices.some((index) => steps[index]?.kind === 'end');
}

function accepts(step: GlobStep, character: string): boolean {
  switch (step.kind) {
    case 'char': return step.char === character;
    case 'one': return character !== '/';
    case 'class': return character !== '/' && step.ranges.some(([low, high]) => isBetween(low, character.codePointAt(0) ?? 0, high)) !== step.negated;
    default: return false;
  }
}

function isBetween(low: number, value: number, high: number): boolean {
  return low <= value && value <= high;
}

/** The steps that the automaton is at, each once. */
class StepSet {
  indices: number[] = [];
  readonly #steps: readonly GlobStep[];
  readonly #seen: Uint32Array;
  #generation = 0;

  constructor(steps: readonly GlobStep[]) {
    this.#steps = steps;
    this.#seen = new Uint32Array(steps.length + 1);
  }

  clear(): void {
    this.indices = [];
    this.#generation += 1;
    if (this.#generation === 0xffff_ffff) {
      this.#seen.fill(0);
      this.#generation = 1;
    }
  }

  /** Adds a step and every step that it reaches without reading a character. */
  enter(first: number): void {
    const waiting = [first];
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      if (this.#seen[index] === this.#generation) continue;
      this.#seen[index] = this.#generation;
      const step = this.#steps[index];
      if (step?.kind === 'fork') waiting.push(...step.targets);
      else this.indices.push(index);
      if (step?.kind === 'run') waiting.push(index + 1);
    }
  }
}
