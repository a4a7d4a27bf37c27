import { Module } from '@nestjs/common';
import { LdapModule } from '../identity/ldap/ldap.module.js';
import { GroupController } from './group.controller.js';
import { GroupService } from './group.service.js';
import { GroupStore } from './group.store.js';

/** Groups of people, as directories know them. */
@Module({ imports: [LdapModule], controllers: [GroupController], providers: [GroupStore, GroupService] })
export class GroupModule {}
