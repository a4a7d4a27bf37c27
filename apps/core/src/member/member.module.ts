import { Module } from '@nestjs/common';
import { AuthProxyModule } from '../identity/auth-proxy/auth-proxy.module.js';
import { LdapModule } from '../identity/ldap/ldap.module.js';
import { MemberController } from './member.controller.js';
import { MemberService } from './member.service.js';
import { MemberStore } from './member.store.js';

/** Members of projects. */
@Module({ imports: [LdapModule, AuthProxyModule], controllers: [MemberController], providers: [MemberStore, MemberService] })
export class MemberModule {}
