import { Problem, type ImmutableRule, type ImmutableRuleUpdate } from '@haven/api';
import { scopeFault } from '@haven/policy';

const ACTION = 'immutable';
const TEMPLATE = 'immutable_template';

/** A rule as it is stored, in the Harbor API's form; id and `disabled` are columns. */
export interface StoredRule extends Pick<ImmutableRule, 'tag_selectors' | 'scope_selectors'> {
  readonly priority: number;
  readonly action: string;
  readonly template: string;
  readonly params: Readonly<Record<string, never>>;
}

/**
 * The rule that a request body describes.
 *
 * @throws Problem BAD_REQUEST saying what to change
 */
export function readRule(request: ImmutableRule): StoredRule {
  const { action = ACTION, template = TEMPLATE, priority = 0, tag_selectors: tags, scope_selectors: scopes } = request;
  if (action !== ACTION && action !== '') throw new Problem('BAD_REQUEST', `action must be "${ACTION}"`);
  if (template !== TEMPLATE && template !== '') throw new Problem('BAD_REQUEST', `template must be "${TEMPLATE}"`);
  const fault = scopeFault({ tag_selectors: tags, scope_selectors: scopes });
  if (fault !== undefined) throw new Problem('BAD_REQUEST', fault);
  return { priority, action: ACTION, template: TEMPLATE, params: {}, tag_selectors: tags, scope_selectors: scopes };
}

/** As readRule, for a request that may leave the selectors out: undefined when it names neither kind. */
export function readRuleUpdate({ tag_selectors: tags, scope_selectors: scopes, ...others }: ImmutableRuleUpdate): StoredRule | undefined {
  if (tags === undefined && scopes === undefined) return undefined;
  return readRule({ ...others, tag_selectors: tags ?? [], scope_selectors: scopes ?? {} });
}
