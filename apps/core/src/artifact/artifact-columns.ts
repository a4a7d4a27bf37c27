import { Problem, type QueryTerm, type QueryValue } from '@haven/api';
import type { QueryColumns, SqlConditions } from '../listing/sql-conditions.js';
import { anyArtifact, listedArtifact, listedInOneRepository } from './listed-artifact.js';

/** What clients may filter and sort artifacts (`a`, in repositories `r`) by. */
export const ARTIFACT_COLUMNS: QueryColumns = new Map([
  ['id', { sql: 'a.id', type: 'number' }],
  ['digest', { sql: 'a.digest', type: 'text' }],
  ['type', { sql: 'a.type', type: 'text' }],
  ['media_type', { sql: "CASE WHEN a.kind = 'index' OR a.config_media_type = '' THEN a.media_type ELSE a.config_media_type END", type: 'text' }],
  ['manifest_media_type', { sql: 'a.media_type', type: 'text' }],
  ['artifact_type', { sql: 'a.artifact_type', type: 'text' }],
  ['repository_id', { sql: 'a.repository_id', type: 'number' }],
  ['repository_name', { sql: 'r.name', type: 'text' }],
  ['size', { sql: 'a.total_size', type: 'number' }],
  ['push_time', { sql: 'a.pushed_at', type: 'time' }],
  ['pull_time', { sql: 'a.pulled_at', type: 'time' }],
]);

const LARGEST_LABEL_ID = 2_147_483_647;

/**
 * The artifacts of a repository (by the placeholder of its id) or of each repository `r` that a list shows: tagged ones
 * and those that are no child of an index, or with `base=*` all of them; accessories never.
 */
export function restrictToBase(conditions: SqlConditions, terms: readonly QueryTerm[], repository?: string): void {
  const everything = terms.some(({ key, match }) => key === 'base' && match.kind === 'exact' && match.value === '*');
  if (everything) conditions.add(anyArtifact(repository ?? 'r.id'));
  else conditions.add(repository === undefined ? listedArtifact('r.id') : listedInOneRepository(repository));
}

/** Applies the terms that are no columns: `tags=*` (any), `tags=nil` (none), `tags=x`, `tags=~x`, and `labels=(1 2)` (all of them). `repository`: SQL for the repository's id. */
export function restrictByParts(conditions: SqlConditions, terms: readonly QueryTerm[], repository = 'a.repository_id'): void {
  for (const term of terms) {
    if (term.key === 'tags') byTags(conditions, term, repository);
    if (term.key === 'labels') byLabels(conditions, term);
  }
}

function byTags(conditions: SqlConditions, { match }: QueryTerm, repository: string): void {
  const tagged = `EXISTS (SELECT 1 FROM tag q WHERE q.repository_id = ${repository} AND q.manifest_id = a.id`;
  switch (match.kind) {
    case 'fuzzy': return conditions.add(`${tagged} AND ${conditions.asciiContains('q.name', match.value)})`);
    case 'any': return conditions.add(`${tagged} AND q.name = ANY(${conditions.value(match.values.map(textOf))}))`);
    case 'exact':
      if (match.value === '*') return conditions.add(`${tagged})`);
      // OFFSET 0: looked up artifact by artifact; the planner would rather read all tags of the repository.
      if (match.value === 'nil') return conditions.add('NOT EXISTS (SELECT 1 FROM tag q WHERE q.manifest_id = a.id OFFSET 0)');
      return conditions.add(`${tagged} AND q.name = ${conditions.value(match.value)})`);
    default: throw new Problem('BAD_REQUEST', 'q: tags takes * (any), nil (none), a name, ~part of a name, or {several names}');
  }
}

function byLabels(conditions: SqlConditions, { match }: QueryTerm): void {
  if (match.kind === 'range' || match.kind === 'fuzzy') throw wrongLabels();
  const ids = [...new Set((match.kind === 'exact' ? [match.value] : match.values).map(labelId))];
  const wanted = conditions.value(ids);
  const held = `(SELECT count(*) FROM artifact_label q WHERE q.manifest_id = a.id AND q.label_id = ANY(${wanted}::int[]))`;
  conditions.add(match.kind === 'any' ? `${held} > 0` : `${held} = ${ids.length}`);
}

function labelId(value: QueryValue): number {
  const id = /^\d{1,10}$/.test(String(value)) ? Number(value) : 0;
  if (id < 1 || id > LARGEST_LABEL_ID) throw wrongLabels();
  return id;
}

function wrongLabels(): Problem {
  return new Problem('BAD_REQUEST', 'q: labels takes the ids of labels, as in labels=(1 2)');
}

function textOf(value: QueryValue): string {
  return value instanceof Date ? value.toISOString() : String(value);
}
