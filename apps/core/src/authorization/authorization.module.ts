import { Module } from '@nestjs/common';
import { SessionModule } from '../session/session.module.js';
import { ProjectAccessService } from './project-access.service.js';
import { ProjectAccessStore } from './project-access.store.js';

/** Who may do what: the caller's rights in the project that a request is about. */
@Module({
  imports: [SessionModule],
  providers: [ProjectAccessStore, ProjectAccessService],
  exports: [ProjectAccessService, SessionModule],
})
export class AuthorizationModule {}
