import type { KnownProject } from '../authorization/known-project.js';

/** Whose webhook policies: those of a project, or those of the whole installation. */
export type PolicyOwner = KnownProject | 'system';

/** The project's id; undefined for the installation. */
export function projectIdOf(owner: PolicyOwner): number | undefined {
  return owner === 'system' ? undefined : owner.id;
}
