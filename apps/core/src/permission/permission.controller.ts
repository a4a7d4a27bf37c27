import { Controller, Get } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Permissions } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds } from '../http/response.interceptor.js';
import { PermissionService } from './permission.service.js';

@Controller('api/v2.0/permissions')
export class PermissionController {
  constructor(private readonly permissions: PermissionService) {}

  @Get()
  @Operation({ id: 'getPermissions', tag: 'permissions', summary: 'What can be given to robots', refuses: ['FORBIDDEN', 'NOT_FOUND'] })
  @Requires(authenticated)
  @Responds(Permissions)
  grantable(@CallerParam() caller: Caller): Promise<Permissions> {
    return this.permissions.grantable(caller);
  }
}
