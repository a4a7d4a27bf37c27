import { globFault } from './glob.js';
import { readUntagged, REPOSITORY_DECORATIONS, TAG_DECORATIONS, type RuleScope, type Selector } from './selectors.js';

/** How many selectors of one kind a rule may have. */
const MOST_SELECTORS = 10;

/** What is wrong with the selectors of a rule that somebody sends, as a sentence; undefined when they are fine. */
export function scopeFault({ tag_selectors: tags, scope_selectors: scopes }: RuleScope): string | undefined {
  const foreign = Object.keys(scopes).find((scope) => scope !== 'repository');
  if (foreign !== undefined) return 'scope_selectors may name nothing but "repository"';
  return selectorsFault('tag_selectors', tags, TAG_DECORATIONS) ?? selectorsFault('scope_selectors.repository', scopes['repository'] ?? [], REPOSITORY_DECORATIONS) ?? extrasFault(tags);
}

function selectorsFault(place: string, selectors: readonly Selector[], decorations: readonly string[]): string | undefined {
  if (selectors.length === 0 || selectors.length > MOST_SELECTORS) return `${place} must hold 1 to ${MOST_SELECTORS} selectors`;
  for (const { kind, decoration, pattern } of selectors) {
    if (kind !== 'doublestar') return `${place}: the kind of a selector must be "doublestar"`;
    if (!decorations.includes(decoration)) return `${place}: the decoration of a selector must be ${decorations.map((one) => `"${one}"`).join(' or ')}`;
    const fault = globFault(pattern);
    if (fault !== undefined) return `${place}: a pattern cannot be used: ${fault}`;
  }
  return undefined;
}

function extrasFault(selectors: readonly Selector[]): string | undefined {
  const wrong = selectors.some(({ extras }) => extras !== undefined && extras !== '' && extras !== '{}' && readUntagged(extras) === undefined);
  return wrong ? 'tag_selectors: extras must be a JSON text, {"untagged":true} or {"untagged":false}' : undefined;
}
