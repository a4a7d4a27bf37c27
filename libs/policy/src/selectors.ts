import { globMatcher } from './glob.js';

/** Picks tags or repositories by a pattern, in the Harbor API's form. */
export interface Selector {
  readonly kind: string;
  /** For tags `matches` or `excludes`, for repositories `repoMatches` or `repoExcludes`. */
  readonly decoration: string;
  readonly pattern: string;
  /** For tags: a JSON text, `{"untagged": true}` or `{"untagged": false}`; see selectsUntagged. */
  readonly extras?: string | undefined;
}

/** The parts of a retention or immutability rule that say what it is about. */
export interface RuleScope {
  readonly tag_selectors: readonly Selector[];
  /** Under `repository`: the repositories, by their names without the project. */
  readonly scope_selectors: Readonly<Record<string, readonly Selector[]>>;
}

export const TAG_DECORATIONS = ['matches', 'excludes'] as const;
export const REPOSITORY_DECORATIONS = ['repoMatches', 'repoExcludes'] as const;

/** Decides about one name after the other. A decoration that does not exist selects nothing. */
export type NameSelector = (name: string) => boolean;

/** What a tag selector says about a tag. */
export function tagSelector(selector: Selector): NameSelector {
  return nameSelector(selector, 'matches', 'excludes');
}

/** What a repository selector says about a repository's name without its project. */
export function repositorySelector(selector: Selector): NameSelector {
  return nameSelector(selector, 'repoMatches', 'repoExcludes');
}

/**
 * Whether a tag selector picks artifacts without any tag: `matches` does unless its extras say `{"untagged": false}`,
 * `excludes` unless they say `{"untagged": true}`. Extras that are no such text count as missing.
 */
export function selectsUntagged({ decoration, extras }: Selector): boolean {
  const untagged = readUntagged(extras);
  if (decoration === 'matches') return untagged ?? true;
  return decoration === 'excludes' && !(untagged ?? false);
}

/** The `untagged` of a tag selector's extras; undefined when they do not have it. */
export function readUntagged(extras: string | undefined): boolean | undefined {
  if (extras === undefined || extras === '') return undefined;
  try {
    const value: unknown = JSON.parse(extras);
    if (typeof value !== 'object' || value === null || !('untagged' in value)) return undefined;
    return typeof value.untagged === 'boolean' ? value.untagged : undefined;
  } catch {
    return undefined;
  }
}

function nameSelector({ kind, decoration, pattern }: Selector, matching: string, excluding: string): NameSelector {
  if (kind !== 'doublestar' || (decoration !== matching && decoration !== excluding)) return () => false;
  const matches = globMatcher(pattern);
  return decoration === matching ? matches : (name) => !matches(name);
}
