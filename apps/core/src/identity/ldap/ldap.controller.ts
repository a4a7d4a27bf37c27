import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { LdapConf, LdapFailedImportUser, LdapGroupSearchQuery, LdapImportUsers, LdapPingResult, LdapUser, LdapUserSearchQuery, UserGroup } from '@haven/api';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CallerParam, Requires } from '../../authorization/requirement.guard.js';
import { systemPermission } from '../../authorization/requirement.js';
import { Operation } from '../../http/operation.js';
import { Responds } from '../../http/response.interceptor.js';
import { LdapPeopleService } from './ldap-people.service.js';
import { LdapPingService } from './ldap-ping.service.js';

@Controller('api/v2.0/ldap')
export class LdapController {
  constructor(
    private readonly pings: LdapPingService,
    private readonly people: LdapPeopleService,
  ) {}

  @Post('ping')
  @HttpCode(200)
  @Operation({ id: 'pingLdap', tag: 'Ldap', summary: 'Try the settings of the directory, the stored ones or those that are sent', audits: 'nothing' })
  @Requires(systemPermission('configuration', 'read'))
  @Responds(LdapPingResult)
  ping(@CallerParam() caller: Caller, @Body({ schema: LdapConf }) given: LdapConf): Promise<LdapPingResult> {
    return this.pings.ping(caller, given);
  }

  @Get('users/search')
  @Operation({ id: 'searchLdapUser', tag: 'Ldap', summary: 'Find people in the directory' })
  @Requires(systemPermission('ldap-user', 'list'))
  @Responds(z.array(LdapUser))
  searchUsers(@Query({ schema: LdapUserSearchQuery }) { username = '' }: LdapUserSearchQuery): Promise<LdapUser[]> {
    return this.people.searchPeople(username);
  }

  @Post('users/import')
  @HttpCode(200)
  // Each account that is made writes its own line of the audit trail, as at a first login.
  @Operation({ id: 'importLdapUser', tag: 'Ldap', summary: 'Make accounts for people in the directory; 404 names those for whom that failed', refuses: ['NOT_FOUND'], audits: 'nothing' })
  @Requires(systemPermission('ldap-user', 'create'))
  @Responds(z.array(LdapFailedImportUser))
  async importUsers(@Body({ schema: LdapImportUsers }) { ldap_uid_list: names }: LdapImportUsers, @Res({ passthrough: true }) reply: FastifyReply): Promise<LdapFailedImportUser[]> {
    const failed = await this.people.import(names);
    if (failed.length > 0) reply.status(404);
    return failed;
  }

  @Get('groups/search')
  @Operation({ id: 'searchLdapGroup', tag: 'Ldap', summary: 'Find groups in the directory by name or DN', refuses: ['NOT_FOUND'] })
  @Requires(systemPermission('ldap-user', 'list'))
  @Responds(z.array(UserGroup))
  searchGroups(@Query({ schema: LdapGroupSearchQuery }) { groupname: name = '', groupdn: dn = '' }: LdapGroupSearchQuery): Promise<UserGroup[]> {
    return this.people.searchGroups({ name, dn });
  }
}
