export { cronFault, nextTimes } from './cron.js';
export { globFault, globMatcher, matchesGlob, type GlobMatcher } from './glob.js';
export { compilePattern, patternFault, type Pattern } from './pattern.js';
export { immutabilityOf, isImmutable, type ImmutabilityCheck, type ImmutabilityRule } from './immutability.js';
export {
  evaluateRetention, evaluateRetentionInSteps, isRetentionScope, RETENTION_TEMPLATES,
  type RetentionCandidate, type RetentionDecision, type RetentionQuestion, type RetentionReason, type RetentionRule, type RetentionTag, type RetentionTemplate,
} from './retention.js';
export { scopeFault } from './rule-fault.js';
export {
  readUntagged, REPOSITORY_DECORATIONS, repositorySelector, selectsUntagged, TAG_DECORATIONS, tagSelector,
  type NameSelector, type RuleScope, type Selector,
} from './selectors.js';
