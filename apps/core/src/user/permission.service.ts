import { Injectable } from '@nestjs/common';
import { can, canOnSystem, grantableSystemPermissions, permissionsOf, type Action, type Caller, type ProjectResource, type SystemResource } from '@haven/access';
import type { Permission, PermissionQuery } from '@haven/api';
import { ProjectAccessService } from '../authorization/project-access.service.js';

const PROJECT_SCOPE = /^\/project\/([1-9]\d{0,9})\/?$/;

/** What callers may do, for user interfaces that show only what works. */
@Injectable()
export class PermissionService {
  constructor(private readonly projects: ProjectAccessService) {}

  /** In the scope of a project, or of the whole system; nothing in scopes that do not exist or that the caller may not see. */
  async list(caller: Caller, { scope = '/system', relative = false }: PermissionQuery): Promise<Permission[]> {
    const id = PROJECT_SCOPE.exec(scope)?.[1];
    if (id !== undefined) return this.#inProject(caller, Number(id), relative);
    return scope === '/system' || scope === '/' ? onSystem(caller, relative) : [];
  }

  async #inProject(caller: Caller, id: number, relative: boolean): Promise<Permission[]> {
    const project = await this.projects.find(id, caller);
    if (project === undefined) return [];
    return everyProjectPermission()
      .filter(([resource, action]) => can(caller, action, resource, project))
      .map(([resource, action]) => ({ resource: projectResource(id, resource, relative), action }));
  }
}

/** The administrator's rights hold everybody else's. */
function everyProjectPermission(): [ProjectResource, Action][] {
  return [...permissionsOf('projectAdmin')].map((permission) => permission.split(':') as [ProjectResource, Action]);
}

/** A project itself is "." relative to its own scope. */
function projectResource(id: number, resource: ProjectResource, relative: boolean): string {
  if (relative) return resource === 'project' ? '.' : resource;
  return resource === 'project' ? `/project/${id}` : `/project/${id}/${resource}`;
}

function onSystem(caller: Caller, relative: boolean): Permission[] {
  return grantableSystemPermissions
    .filter(({ resource, action }) => canOnSystem(caller, action, resource as SystemResource))
    .map(({ resource, action }) => ({ resource: relative ? resource : `/system/${resource}`, action }));
}
