import { immutabilityOf, type ImmutabilityRule } from '@haven/policy';
import { CatalogError } from './catalog-error.js';

/** The rules of a project as a column of a statement about it; read inside the change's transaction, they fail with it. */
export function rulesColumn(projectId: string): string {
  return `(SELECT coalesce(jsonb_agg(i.rule || jsonb_build_object('disabled', i.disabled) ORDER BY i.id), '[]') FROM immutability_rule i
           WHERE i.project_id = ${projectId} AND NOT i.disabled) AS rules`;
}

/** What rulesColumn reads. */
export type Rules = readonly ImmutabilityRule[];

/** Refuses to move an existing tag that a rule protects. The sentence is Harbor's. */
export function requireMovable(rules: Rules, repository: string, tag: string): void {
  if (protectedAmong(rules, repository, [tag]).length === 0) return;
  throw new CatalogError('immutable', `Failed to process request due to '${withoutProject(repository)}:${tag}' configured as immutable`, [], { tags: [tag] });
}

/** Refuses to delete tags, or what they name, when a rule protects one of them. */
export function requireDeletable(rules: Rules, repository: string, tags: readonly string[]): void {
  const held = protectedAmong(rules, repository, tags);
  if (held.length === 0) return;
  throw new CatalogError('immutable', `the tag ${held[0]} configured as immutable, cannot be deleted`, [], { tags: held });
}

function protectedAmong(rules: Rules, repository: string, tags: readonly string[]): string[] {
  if (rules.length === 0 || tags.length === 0) return [];
  const isImmutable = immutabilityOf(rules, withoutProject(repository));
  return tags.filter((tag) => isImmutable(tag));
}

function withoutProject(repository: string): string {
  return repository.slice(repository.indexOf('/') + 1);
}
