import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { ProjectAccessService } from './project-access.service.js';
import { ProjectAccessStore } from './project-access.store.js';

/** Who may do what: the caller's rights in the project that a request is about. */
@Module({
  imports: [IdentityModule],
  providers: [ProjectAccessStore, ProjectAccessService],
  exports: [ProjectAccessService, IdentityModule],
})
export class AuthorizationModule {}
