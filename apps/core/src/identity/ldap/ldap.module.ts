import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity.module.js';
import { DirectoryRefreshService } from './directory-refresh.service.js';
import { DirectoryRefreshStore } from './directory-refresh.store.js';
import { DirectoryService } from './directory.service.js';
import { LdapController } from './ldap.controller.js';
import { LdapLoginService } from './ldap-login.service.js';
import { LdapPeopleService } from './ldap-people.service.js';
import { LdapPingService } from './ldap-ping.service.js';

/** People and groups of an LDAP directory or Active Directory. */
@Module({
  imports: [IdentityModule],
  controllers: [LdapController],
  providers: [DirectoryService, LdapLoginService, LdapPeopleService, LdapPingService, DirectoryRefreshStore, DirectoryRefreshService],
  exports: [LdapPeopleService],
})
export class LdapModule {}
