import { Module } from '@nestjs/common';
import { AuthorizationModule } from '../authorization/authorization.module.js';
import { OidcModule } from '../oidc/oidc.module.js';
import { PermissionModule } from '../permission/permission.module.js';
import { AccountRulesService } from './account-rules.service.js';
import { CliSecretService } from './cli-secret.service.js';
import { PasswordChangeService } from './password-change.service.js';
import { UserController } from './user.controller.js';
import { UserService } from './user.service.js';
import { UserStore } from './user.store.js';

/** Accounts: people, their profiles, passwords and rights. */
@Module({ imports: [AuthorizationModule, PermissionModule, OidcModule], controllers: [UserController], providers: [UserStore, UserService, AccountRulesService, PasswordChangeService, CliSecretService] })
export class UserModule {}
