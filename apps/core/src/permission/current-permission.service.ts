import { Injectable } from '@nestjs/common';
import { can, canOnSystem, projectPermissions, systemPermissions, type Action, type Caller, type ProjectResource } from '@haven/access';
import type { Permission, PermissionQuery } from '@haven/api';
import { ProjectAccessService } from '../authorization/project-access.service.js';

const PROJECT_SCOPE = /^\/project\/([1-9]\d{0,9})\/?$/;
const SYSTEM_SCOPE = '/system';

/** What callers may do, for user interfaces that show only what works. */
@Injectable()
export class CurrentPermissionService {
  constructor(private readonly projects: ProjectAccessService) {}

  /** In the scope of a project, or of the whole system; nothing in scopes that do not exist or that the caller may not see. */
  async list(caller: Caller, { scope = SYSTEM_SCOPE, relative = false }: PermissionQuery): Promise<Permission[]> {
    const id = PROJECT_SCOPE.exec(scope)?.[1];
    if (id !== undefined) return this.#inProject(caller, Number(id), relative);
    return scope === SYSTEM_SCOPE || scope === '/' ? onSystem(caller, relative) : [];
  }

  async #inProject(caller: Caller, id: number, relative: boolean): Promise<Permission[]> {
    const project = await this.projects.find(id, caller);
    if (project === undefined) return [];
    return projectPermissions
      .map((permission) => permission.split(':') as [ProjectResource, Action])
      .filter(([resource, action]) => can(caller, action, resource, project))
      .map(([resource, action]) => ({ resource: projectResource(id, resource, relative), action }));
  }
}

/** A project itself is "." relative to its own scope. */
function projectResource(id: number, resource: ProjectResource, relative: boolean): string {
  if (relative) return resource === 'project' ? '.' : resource;
  return resource === 'project' ? `/project/${id}` : `/project/${id}/${resource}`;
}

function onSystem(caller: Caller, relative: boolean): Permission[] {
  return systemPermissions
    .filter(({ resource, action }) => canOnSystem(caller, action, resource))
    .map(({ resource, action }) => ({ resource: relative ? resource : `${SYSTEM_SCOPE}/${resource}`, action }));
}
