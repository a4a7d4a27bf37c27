import { parseQuery, parseSort, Problem, type ListQuery, type QueryTerm } from '@haven/api';
import type { ArtifactList } from './artifact.store.js';

/** The page that a list's query asks for. */
export function listOf(query: ListQuery): ArtifactList {
  return { terms: parseQuery(query.q), sort: parseSort(query.sort), page: query.page, size: query.page_size };
}

/**
 * "The latest of each repository" is a question about one kind of artifact.
 *
 * @throws Problem BAD_REQUEST
 */
export function requireOneKind(terms: readonly QueryTerm[]): void {
  const kinds = terms.filter(({ key, match }) => (key === 'media_type' || key === 'artifact_type') && match.kind === 'exact');
  if (kinds.length !== 1) throw new Problem('BAD_REQUEST', 'latest_in_repository needs exactly one of media_type=… and artifact_type=… in q');
}
