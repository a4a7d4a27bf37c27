import type { ImmutabilityCheck } from './immutability.js';
import { repositorySelector, selectsUntagged, tagSelector, type NameSelector, type RuleScope } from './selectors.js';

/** What a retention rule keeps of what its selectors pick; the key in its params has the same name. */
export type RetentionTemplate = 'latestPushedK' | 'latestPulledN' | 'nDaysSinceLastPush' | 'nDaysSinceLastPull' | 'always' | 'latestActiveK' | 'lastXDays';

/** A rule of a retention policy, in the Harbor API's form. */
export interface RetentionRule extends RuleScope {
  readonly disabled: boolean;
  readonly template: RetentionTemplate;
  readonly params: Readonly<Record<string, number>>;
}

/** An artifact that a retention policy decides about, with everything that names it. */
export interface RetentionCandidate {
  readonly digest: string;
  readonly pushedAt: Date;
  readonly pulledAt: Date | undefined;
  readonly tags: readonly RetentionTag[];
}

export interface RetentionTag {
  readonly name: string;
  readonly pushedAt: Date;
  readonly pulledAt: Date | undefined;
}

/** Why an artifact stays, or that nothing keeps it. `rule` counts from 0 in the policy's list. */
export type RetentionReason =
  | { readonly kind: 'rule'; readonly rule: number; readonly template: RetentionTemplate }
  | { readonly kind: 'immutable'; readonly tag: string | undefined }
  | { readonly kind: 'nothing' };

export interface RetentionDecision<Candidate extends RetentionCandidate = RetentionCandidate> {
  readonly candidate: Candidate;
  /** All tags of an artifact share its fate. */
  readonly retained: boolean;
  readonly reason: RetentionReason;
}

export interface RetentionQuestion<Candidate extends RetentionCandidate = RetentionCandidate> {
  readonly rules: readonly RetentionRule[];
  /** The repository's name without its project. */
  readonly repository: string;
  /** Every artifact of the repository but untagged children of indexes and accessories. */
  readonly candidates: readonly Candidate[];
  readonly immutable: ImmutabilityCheck;
  readonly now: Date;
}

interface Template {
  /** What stands for a missing parameter; undefined when the template takes none. */
  readonly standard: number | undefined;
  /** The largest parameter. */
  readonly most: number;
  readonly advertised: boolean;
  keep<Candidate extends RetentionCandidate>(selected: readonly Candidate[], parameter: number, now: Date): readonly Candidate[];
}

const MOST_ARTIFACTS = 32_766;
const MOST_DAYS = 20_190_904;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Every template, with what Harbor takes for its parameter. */
export const RETENTION_TEMPLATES: Readonly<Record<RetentionTemplate, Template>> = {
  latestPushedK: { standard: 10, most: MOST_ARTIFACTS, advertised: true, keep: (selected, count) => latest(selected, count, pushTime) },
  latestPulledN: { standard: 10, most: MOST_ARTIFACTS, advertised: true, keep: (selected, count) => latest(selected, count, pullTime) },
  nDaysSinceLastPush: { standard: 30, most: MOST_DAYS, advertised: true, keep: (selected, days, now) => since(selected, days, now, pushTime) },
  nDaysSinceLastPull: { standard: 30, most: MOST_DAYS, advertised: true, keep: (selected, days, now) => since(selected, days, now, pullTime) },
  always: { standard: undefined, most: 0, advertised: true, keep: (selected) => selected },
  latestActiveK: { standard: 10, most: MOST_ARTIFACTS, advertised: false, keep: (selected, count) => latest(selected, count, activeTime) },
  lastXDays: { standard: 10, most: MOST_DAYS, advertised: false, keep: (selected, days, now) => since(selected, days, now, pushTime) },
};

/** Whether a rule that is not disabled is about this repository (its name without the project); others are left alone. */
export function isRetentionScope(rules: readonly RetentionRule[], repository: string): boolean {
  return rules.some((rule) => isAbout(rule, repository));
}

/**
 * What a retention policy does with each artifact of a repository, in the order of the candidates. A rule picks what all
 * of its tag selectors pick and keeps of that what its template says; an artifact stays when any rule keeps it, or when
 * it is immutable. Undefined when no rule is about the repository: everything stays.
 */
export function evaluateRetention<Candidate extends RetentionCandidate>(question: RetentionQuestion<Candidate>): RetentionDecision<Candidate>[] | undefined {
  const work = evaluation(question);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/**
 * As evaluateRetention, waiting for `pause` after every few milliseconds' work: patterns and tags are the users', and a
 * process has others to serve. What `pause` rejects with ends it.
 */
export async function evaluateRetentionInSteps<Candidate extends RetentionCandidate>(
  question: RetentionQuestion<Candidate>, pause: () => Promise<void>,
): Promise<RetentionDecision<Candidate>[] | undefined> {
  const work = evaluation(question);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

/** How many tags are compared between two pauses. */
const TAGS_AT_ONCE = 200;

type Evaluation<Result> = Generator<undefined, Result, undefined>;

function* evaluation<Candidate extends RetentionCandidate>(question: RetentionQuestion<Candidate>): Evaluation<RetentionDecision<Candidate>[] | undefined> {
  const { rules, repository, candidates, immutable, now } = question;
  if (!isRetentionScope(rules, repository)) return undefined;
  const keepers = new Map<Candidate, RetentionReason>();
  for (const [index, rule] of rules.entries()) {
    if (!isAbout(rule, repository)) continue;
    for (const candidate of yield* keptBy(rule, candidates, now)) {
      if (!keepers.has(candidate)) keepers.set(candidate, { kind: 'rule', rule: index, template: rule.template });
    }
  }
  const decisions: RetentionDecision<Candidate>[] = [];
  for (const candidate of candidates) {
    const reason = keepers.get(candidate) ?? (yield* immutableReason(candidate, immutable));
    decisions.push({ candidate, retained: reason.kind !== 'nothing', reason });
  }
  return decisions;
}

function isAbout({ disabled, scope_selectors: scopes }: RetentionRule, repository: string): boolean {
  const selectors = scopes['repository'] ?? [];
  return !disabled && selectors.length > 0 && selectors.every((selector) => repositorySelector(selector)(repository));
}

function* keptBy<Candidate extends RetentionCandidate>(rule: RetentionRule, candidates: readonly Candidate[], now: Date): Evaluation<readonly Candidate[]> {
  let selected = candidates;
  for (const selector of rule.tag_selectors) {
    const [selects, untagged, picked] = [tagSelector(selector), selectsUntagged(selector), [] as Candidate[]];
    for (const candidate of selected) {
      const picks = candidate.tags.length === 0 ? untagged : (yield* firstTag(candidate, selects)) !== undefined;
      if (picks) picked.push(candidate);
    }
    selected = picked;
  }
  const template = RETENTION_TEMPLATES[rule.template];
  return template.keep(selected, rule.params[rule.template] ?? template.standard ?? 0, now);
}

function* immutableReason(candidate: RetentionCandidate, immutable: ImmutabilityCheck): Evaluation<RetentionReason> {
  if (candidate.tags.length === 0) return immutable(undefined) ? { kind: 'immutable', tag: undefined } : { kind: 'nothing' };
  const tag = yield* firstTag(candidate, immutable);
  return tag === undefined ? { kind: 'nothing' } : { kind: 'immutable', tag };
}

/** The name of the first tag that is selected. Pauses at the tags of one artifact as well as between artifacts. */
function* firstTag({ tags }: RetentionCandidate, selects: NameSelector): Evaluation<string | undefined> {
  for (const { name } of tags) {
    compared += 1;
    if (compared % TAGS_AT_ONCE === 0) yield undefined;
    if (selects(name)) return name;
  }
  return undefined;
}

/** Counts comparisons over all evaluations: it only says when to pause. */
let compared = 0;

type TimeOf = (candidate: RetentionCandidate) => number;

/** When it, or a tag of it, was pushed last, in milliseconds since 1970. */
function pushTime({ pushedAt, tags }: RetentionCandidate): number {
  return tags.reduce((last, tag) => Math.max(last, tag.pushedAt.getTime()), pushedAt.getTime());
}

/** When it, or a tag of it, was pulled last; what was never pulled comes before everything that was. */
function pullTime({ pulledAt, tags }: RetentionCandidate): number {
  return tags.reduce((last, tag) => Math.max(last, tag.pulledAt?.getTime() ?? -Infinity), pulledAt?.getTime() ?? -Infinity);
}

function activeTime(candidate: RetentionCandidate): number {
  return Math.max(pushTime(candidate), pullTime(candidate));
}

function latest<Candidate extends RetentionCandidate>(selected: readonly Candidate[], count: number, timeOf: TimeOf): Candidate[] {
  const dated = selected.map((candidate) => ({ candidate, time: timeOf(candidate) }));
  // The digest decides between equals, so that evaluating twice keeps the same ones.
  dated.sort((one, other) => descending(one.time, other.time) || (one.candidate.digest < other.candidate.digest ? -1 : 1));
  return dated.slice(0, count).map(({ candidate }) => candidate);
}

function descending(one: number, other: number): number {
  return one === other ? 0 : one > other ? -1 : 1;
}

function since<Candidate extends RetentionCandidate>(selected: readonly Candidate[], days: number, now: Date, timeOf: TimeOf): Candidate[] {
  return selected.filter((candidate) => timeOf(candidate) >= now.getTime() - days * DAY_MS);
}
