import { RE2JS, RE2JSException } from 're2js';

/** The longest pattern that is accepted, in characters. */
const MAX_LENGTH = 255;
/** Steps of the compiled pattern at most, which counted repetitions can multiply: each may cost one for every character of a text. */
const MAX_SIZE = 300;

/** Whether a regular expression is found in a text. */
export type Pattern = (text: string) => boolean;

/**
 * A regular expression that somebody typed into a setting, in the syntax of RE2, which Harbor has, too: without
 * back-references and looking around. The time to search a text is proportional to its length, whatever the pattern is.
 *
 * @throws Error for a pattern with a fault
 */
export function compilePattern(text: string): Pattern {
  const fault = patternFault(text);
  if (fault !== undefined) throw new Error(`the regular expression ${fault}`);
  const compiled = RE2JS.compile(text);
  return (searched) => compiled.test(searched);
}

/** What is wrong with a regular expression that somebody sends, as the end of a sentence; undefined when it is fine. */
export function patternFault(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  try {
    return RE2JS.compile(text).programSize() > MAX_SIZE ? 'repeats too much' : undefined;
  } catch (error) {
    if (error instanceof RE2JSException) return 'is not a regular expression of RE2 (without back-references and looking around)';
    throw error;
  }
}
