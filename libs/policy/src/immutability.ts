import { repositorySelector, tagSelector, type RuleScope, type Selector } from './selectors.js';

/** A rule about tags that must not be moved or deleted, in the Harbor API's form. */
export interface ImmutabilityRule extends RuleScope {
  readonly disabled: boolean;
}

/** Decides about one tag after the other; undefined stands for an artifact without any tag. */
export type ImmutabilityCheck = (tag: string | undefined) => boolean;

/**
 * Whether a tag is immutable: any rule that is not disabled says so. As in Harbor only the first repository selector and
 * the first tag selector of a rule count.
 *
 * @param repository its name without the project
 */
export function isImmutable(rules: readonly ImmutabilityRule[], repository: string, tag: string): boolean {
  return immutabilityOf(rules, repository)(tag);
}

/** As isImmutable, for many tags of one repository: the rules are read once. An untagged artifact is immutable when a rule excludes tags. */
export function immutabilityOf(rules: readonly ImmutabilityRule[], repository: string): ImmutabilityCheck {
  const selectors = rules.flatMap((rule) => firstTagSelector(rule, repository));
  const selecting = selectors.map(tagSelector);
  const untagged = selectors.some(({ decoration }) => decoration === 'excludes');
  return (tag) => (tag === undefined ? untagged : selecting.some((selects) => selects(tag)));
}

function firstTagSelector({ disabled, scope_selectors: scopes, tag_selectors: tags }: ImmutabilityRule, repository: string): Selector[] {
  const [scope] = scopes['repository'] ?? [];
  const [tag] = tags;
  if (disabled || scope === undefined || tag === undefined) return [];
  return repositorySelector(scope)(repository) ? [tag] : [];
}
