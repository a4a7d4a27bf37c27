import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { CurrentPermissionService } from './current-permission.service.js';
import { PermissionController } from './permission.controller.js';
import { PermissionService } from './permission.service.js';
import { PermissionStore } from './permission.store.js';

/** What callers may do, and what can be given to robots. */
@Module({ imports: [AuthorizationModule], controllers: [PermissionController], providers: [PermissionStore, PermissionService, CurrentPermissionService], exports: [CurrentPermissionService] })
export class PermissionModule {}
