import { Problem, type RetentionMetadata, type RetentionPolicy, type RetentionRule as RuleRequest } from '@haven/api';
import type { StoredRetention } from '@haven/execution';
import { cronFault, REPOSITORY_DECORATIONS, RETENTION_TEMPLATES, scopeFault, TAG_DECORATIONS, type RetentionRule, type RetentionTemplate } from '@haven/policy';

const MOST_RULES = 15;
const ALGORITHM = 'or';
const ACTION = 'retain';
const TRIGGER = 'Schedule';
const LEVEL = 'project';
const TEMPLATES = Object.keys(RETENTION_TEMPLATES) as RetentionTemplate[];

/** How Harbor describes the templates that it offers, and what their parameter counts. */
const OFFERED: Readonly<Partial<Record<RetentionTemplate, { readonly text: string; readonly unit?: 'COUNT' | 'DAYS' }>>> = {
  latestPushedK: { text: 'the most recently pushed # artifacts', unit: 'COUNT' },
  latestPulledN: { text: 'the most recently pulled # artifacts', unit: 'COUNT' },
  nDaysSinceLastPush: { text: 'pushed within the last # days', unit: 'DAYS' },
  nDaysSinceLastPull: { text: 'pulled within the last # days', unit: 'DAYS' },
  always: { text: 'always' },
};

/** A rule as it is stored, in the Harbor API's form. */
type StoredRule = RuleRequest & RetentionRule;

/** What an editor of rules can offer. */
export const RETENTION_METADATA: RetentionMetadata = {
  templates: TEMPLATES.flatMap((template) => {
    const offered = OFFERED[template];
    if (offered === undefined) return [];
    const params = offered.unit === undefined ? [] : [{ type: 'int', unit: offered.unit, required: true }];
    return [{ rule_template: template, display_text: offered.text, action: ACTION, params }];
  }),
  scope_selectors: [{ display_text: 'Repositories', kind: 'doublestar', decorations: [...REPOSITORY_DECORATIONS] }],
  tag_selectors: [{ display_text: 'Tags', kind: 'doublestar', decorations: [...TAG_DECORATIONS] }],
};

/**
 * The id of the project that a policy is for.
 *
 * @throws Problem BAD_REQUEST
 */
export function scopeOf({ scope }: RetentionPolicy): number {
  if (scope.level !== LEVEL) throw new Problem('BAD_REQUEST', `scope.level must be "${LEVEL}"`);
  return scope.ref;
}

/**
 * The policy that a request body describes, without its scope.
 *
 * @throws Problem BAD_REQUEST saying what to change; CONFLICT when a rule stands there twice
 */
export function readPolicy({ algorithm = ALGORITHM, rules, trigger }: RetentionPolicy): StoredRetention {
  if (algorithm !== ALGORITHM && algorithm !== '') throw new Problem('BAD_REQUEST', `algorithm must be "${ALGORITHM}"`);
  const wanted = rules ?? [];
  if (wanted.length > MOST_RULES) throw new Problem('BAD_REQUEST', `a policy can have at most ${MOST_RULES} rules; this one has ${wanted.length}`);
  const stored = wanted.map(readRule);
  refuseDoubled(stored);
  return { algorithm: ALGORITHM, rules: stored, trigger: { kind: TRIGGER, settings: { cron: readCron(trigger) } } };
}

/** The rules of a stored policy, as readPolicy made them. */
export function rulesOf({ rules }: StoredRetention): RuleRequest[] {
  return rules as StoredRule[];
}

function readCron({ kind, settings }: RetentionPolicy['trigger']): string {
  if (kind !== TRIGGER) throw new Problem('BAD_REQUEST', `trigger.kind must be "${TRIGGER}"`);
  const cron = settings?.cron ?? '';
  const fault = cron === '' ? undefined : cronFault(cron);
  if (fault !== undefined) throw new Problem('BAD_REQUEST', `trigger.settings.cron: ${fault}`);
  return cron;
}

function readRule(request: RuleRequest, index: number): StoredRule {
  const { id = index + 1, priority = 0, disabled = false, action = ACTION, template = '', params, tag_selectors: tags, scope_selectors: scopes } = request;
  const place = `rules[${index}]`;
  if (action !== ACTION && action !== '') throw new Problem('BAD_REQUEST', `${place}.action must be "${ACTION}"`);
  if (!isTemplate(template)) throw new Problem('BAD_REQUEST', `${place}.template must be one of ${TEMPLATES.join(', ')}`);
  const fault = scopeFault({ tag_selectors: tags, scope_selectors: scopes });
  if (fault !== undefined) throw new Problem('BAD_REQUEST', `${place}: ${fault}`);
  return { id, priority, disabled, action: ACTION, template, params: readParameters(place, template, params ?? {}), tag_selectors: tags, scope_selectors: scopes };
}

/** Of the parameters the one of the rule's own template counts; clients send others along. */
function readParameters(place: string, template: RetentionTemplate, params: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const { standard, most } = RETENTION_TEMPLATES[template];
  if (standard === undefined || !Object.hasOwn(params, template)) return {};
  const value = params[template];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) throw new Problem('BAD_REQUEST', `${place}.params.${template} must be a whole number from 0 to ${most}`);
  return { [template]: value };
}

function isTemplate(text: string): text is RetentionTemplate {
  return Object.hasOwn(RETENTION_TEMPLATES, text);
}

/** Two rules are the same when they keep the same; a missing parameter is its standard value. */
function refuseDoubled(rules: readonly StoredRule[]): void {
  const seen = new Map<string, number>();
  for (const [index, { template, params, tag_selectors: tags, scope_selectors: scopes }] of rules.entries()) {
    const parameter = params[template] ?? RETENTION_TEMPLATES[template].standard;
    const selectors = [...tags, ...(scopes['repository'] ?? [])].map(({ decoration, pattern, extras = '' }) => [decoration, pattern, extras]);
    const same = JSON.stringify([template, parameter, selectors]);
    const first = seen.get(same);
    if (first !== undefined) throw new Problem('CONFLICT', `rules[${first}] and rules[${index}] are the same; leave one of them out`);
    seen.set(same, index);
  }
}
