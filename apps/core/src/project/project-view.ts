import { roleNumber, strongestRole } from '@haven/access';
import type { CVEAllowlist, Project } from '@haven/api';
import { usesSystemAllowlist, WHOLE_INSTALLATION } from '../allowlist/allowlist.js';
import { rolesOf } from '../authorization/role-sql.js';
import { metadataOf } from './project-metadata.js';
import type { ProjectRow } from './project.store.js';

/** The project in the API's form, without the details that cost further questions. */
export function briefProject(row: ProjectRow): Project {
  return {
    project_id: row.id,
    owner_id: row.ownerId,
    owner_name: row.ownerName,
    name: row.name,
    creation_time: row.createdAt.toISOString(),
    update_time: row.updatedAt.toISOString(),
    deleted: false,
    metadata: metadataOf(row.public, row.metadata, row.retentionId),
  };
}

/** @param lists the allowlists of the project and of the installation, by project id */
export function fullProject(row: ProjectRow, lists: ReadonlyMap<number, CVEAllowlist>): Project {
  return { ...briefProject(row), repo_count: row.repositories, ...currentRoles(row), ...effectiveAllowlist(row, lists) };
}

/** The list that counts in the project: its own, or the installation's under its name. */
function effectiveAllowlist(row: ProjectRow, lists: ReadonlyMap<number, CVEAllowlist>): Pick<Project, 'cve_allowlist'> {
  const list = lists.get(usesSystemAllowlist(row.metadata) ? WHOLE_INSTALLATION : row.id);
  return list === undefined ? {} : { cve_allowlist: { ...list, project_id: row.id } };
}

/** The strongest of the caller's roles, and all of them. */
function currentRoles(row: ProjectRow): Pick<Project, 'current_user_role_id' | 'current_user_role_ids'> {
  const strongest = strongestRole(rolesOf(row.roles));
  return strongest === undefined ? {} : { current_user_role_id: roleNumber(strongest), current_user_role_ids: [...row.roles] };
}
