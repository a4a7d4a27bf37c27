import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { PasswordChangeService } from './password-change.service.js';
import { PermissionService } from './permission.service.js';
import { UserController } from './user.controller.js';
import { UserService } from './user.service.js';
import { UserStore } from './user.store.js';

/** Accounts: people, their profiles, passwords and rights. */
@Module({ imports: [AuthorizationModule], controllers: [UserController], providers: [UserStore, UserService, PasswordChangeService, PermissionService] })
export class UserModule {}
