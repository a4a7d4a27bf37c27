import { Injectable } from '@nestjs/common';
import { grantableProjectPermissions, grantableSystemPermissions, permissionsOf, projectRobotPermissions, type Caller } from '@haven/access';
import { Problem, type Permissions } from '@haven/api';
import { PermissionStore } from './permission.store.js';

/** What can be given to robots. */
@Injectable()
export class PermissionService {
  constructor(private readonly store: PermissionStore) {}

  /** Everything, for system administrators; for administrators of a project what they can give to its robots. */
  async grantable({ subject }: Caller): Promise<Permissions> {
    if (subject.kind === 'user' && subject.sysadmin) return { system: [...grantableSystemPermissions], project: [...grantableProjectPermissions] };
    if (subject.kind !== 'user' || !(await this.store.administersProject(subject.id))) {
      throw new Problem('FORBIDDEN', 'what robots can be given is shown to those who can make robots: administrators of the system or of a project');
    }
    const held = permissionsOf('projectAdmin') as ReadonlySet<string>;
    return { project: projectRobotPermissions.filter(({ resource, action }) => held.has(`${resource}:${action}`)) };
  }
}
