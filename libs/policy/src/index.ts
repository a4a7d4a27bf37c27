export { globFault, globMatcher, matchesGlob, type GlobMatcher } from './glob.js';
export { immutabilityOf, isImmutable, type ImmutabilityCheck, type ImmutabilityRule } from './immutability.js';
export {
  readUntagged, REPOSITORY_DECORATIONS, repositorySelector, selectsUntagged, TAG_DECORATIONS, tagSelector,
  type NameSelector, type RuleScope, type Selector,
} from './selectors.js';
